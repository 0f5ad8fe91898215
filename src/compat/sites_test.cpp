// SPDX-License-Identifier: Apache-2.0
#include "compat/sites.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "compat/faithful/face_scorer.hpp"

namespace unmask::compat {
namespace {

using testing::HasSubstr;

TEST(Contracts, HaveNamesThatReadBack) {
  for (const auto contract : kContracts) EXPECT_EQ(ParseContract(ContractName(contract)), contract);
  EXPECT_THAT(ParseContract("predict").error().message, HasSubstr("predict-api"));
}

TEST(ContractListener, IsANameWithOrWithoutAnAddress) {
  const auto full = ParseContractListener("microservice-v2=[::1]:8080");
  EXPECT_EQ(full->contract, Contract::kMicroserviceV2);
  EXPECT_EQ(full->address, "[::1]:8080");
  EXPECT_EQ(ParseContractListener("web-upload")->address, "");
  for (const char* text : {"", "none=1.2.3.4:5", "web-upload=", "web-upload=8080"})
    EXPECT_EQ(ParseContractListener(text).error().code, ErrorCode::kBadRequest) << text;
}

TEST(ContractEngine, IsNativeOrFaithful) {
  EXPECT_TRUE(ParseContractEngine("mesonet-api=faithful")->faithful);
  EXPECT_FALSE(ParseContractEngine("mesonet-api=native")->faithful);
  for (const char* text : {"", "mesonet-api", "mesonet-api=", "mesonet-api=best", "none=native"})
    EXPECT_EQ(ParseContractEngine(text).error().code, ErrorCode::kBadRequest) << text;
}

const Environment kNothing = [](const std::string&) -> std::optional<std::string> { return std::nullopt; };

TEST(ContractModel, IsAPath) {
  EXPECT_EQ(ParseContractModel("predict-api=/a=b")->path, "/a=b");
  for (const char* text : {"", "predict-api", "predict-api=", "none=/a"})
    EXPECT_EQ(ParseContractModel(text).error().code, ErrorCode::kBadRequest) << text;
}

TEST(ContractSites, MakeTheFaithfulEnginesThatWereAskedFor) {
  std::vector<std::string> made;
  const MakeFaithful make = [&](Contract contract, const std::filesystem::path& model,
                                const std::shared_ptr<FaceScorer>&, const ContractSettings&) {
    made.push_back(std::string(ContractName(contract)) + " " + model.string());
    return std::shared_ptr<Analyzer>();
  };
  const ContractOptions options{.engines = {{Contract::kMesonetApi, true},
                                            {Contract::kPredictApi, true},
                                            {Contract::kMesonetApi, false}},
                                .models = {{Contract::kPredictApi, "/m.h5"}}};
  EXPECT_TRUE(ContractSites(options, kNothing, make, {}).has_value());
  EXPECT_EQ(made, std::vector<std::string>{"predict-api /m.h5"});
  EXPECT_FALSE(ContractSites(options, kNothing, {}, {}).has_value());
  const ContractOptions lonely{.models = {{Contract::kPredictApi, "/m.h5"}}};
  EXPECT_THAT(ContractSites(lonely, kNothing, make, {}).error().message, HasSubstr("--contract-engine"));
}

TEST(ContractSites, LetPredictApisFaithfulEngineAskTensorFlowServing) {
  const Environment environment = [](const std::string& name) -> std::optional<std::string> {
    if (name == "TF_SERVING_URL") return "http://tfserving:8501";
    if (name == "MODEL_NAME") return "mine";
    return std::nullopt;
  };
  std::vector<std::string> asked;
  const MakeFaithful make = [&](Contract contract, const std::filesystem::path&,
                                const std::shared_ptr<FaceScorer>& remote, const ContractSettings&) {
    asked.push_back(std::string(ContractName(contract)) + " " + (remote ? remote->facts().name : "-"));
    return std::shared_ptr<Analyzer>();
  };
  ContractOptions options{.engines = {{Contract::kMesonetApi, true}, {Contract::kPredictApi, true}}};
  EXPECT_TRUE(ContractSites(options, environment, make, {}));
  EXPECT_EQ(asked, (std::vector<std::string>{"mesonet-api -", "predict-api mine"}));
  asked.clear();
  options.models = {{Contract::kPredictApi, "/m.h5"}};
  EXPECT_TRUE(ContractSites(options, environment, make, {}));
  EXPECT_EQ(asked.back(), "predict-api -") << "the operator's own model comes first";
}

TEST(ContractSites, RefuseATensorFlowServingThatIsNoUrl) {
  const Environment environment = [](const std::string& name) -> std::optional<std::string> {
    return name == "TF_SERVING_URL" ? std::optional<std::string>("tfserving:8501") : std::nullopt;
  };
  const ContractOptions options{.engines = {{Contract::kPredictApi, true}}};
  EXPECT_THAT(ContractSites(options, environment, {}, {}).error().message, HasSubstr("TF_SERVING_URL"));
}

TEST(ContractSites, StopAtASettingThatMakesNoSenseOnlyWhereAContractWasAskedFor) {
  const Environment environment = [](const std::string& name) -> std::optional<std::string> {
    if (name == "PORT") return "http";
    return std::nullopt;
  };
  EXPECT_TRUE(ContractSites({}, environment, {}, {}).has_value());
  const ContractOptions asked{.listeners = {{Contract::kWebUpload, "127.0.0.1:0"}}};
  EXPECT_THAT(ContractSites(asked, environment, {}, {}).error().message, HasSubstr("PORT"));
  const ContractOptions file{.env_file = "/none/.env"};
  EXPECT_EQ(ContractSites(file, kNothing, {}, {}).error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace unmask::compat
