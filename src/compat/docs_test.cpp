// SPDX-License-Identifier: Apache-2.0
#include "api/docs.hpp"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "api/described.hpp"
#include "base/file.hpp"
#include "compat/contract.hpp"
#include "compat/rate_limit/rate_limiter.hpp"
#include "compat/test_context.hpp"

namespace unmask::compat {
namespace {

using testing::Contains;

const std::filesystem::path kWeb = UNMASK_SOURCE_DIR "/web";

class ContractDocs : public testing::TestWithParam<Contract> {
 protected:
  ContractContext Context() {
    return {.contract = GetParam(),
            .service = service_,
            .native = analyzer_,
            .timers = *server_,
            .server = server_.get(),
            .ready = ready_,
            .web = kWeb,
            .docs = ReadDocsFiles(kWeb, "/none"),
            .settings = std::make_shared<const ContractSettings>(),
            .limiter = std::make_shared<RateLimiter>(MakeMemoryStore(), RateLimiter::Down::kAllow)};
  }
  std::filesystem::path document() const {
    return kWeb / "compat" / (std::string(ContractName(GetParam())) + ".openapi.json");
  }

  ScriptedAnalyzer analyzer_;
  AnalysisService service_{{}, analyzer_};
  std::unique_ptr<http::Server> server_ = http::Server::Create({});
  std::atomic<bool> ready_ = true;
};

TEST_P(ContractDocs, DescribeWhatTheRouterServesAndNothingElse) {
  const auto contract = MakeContract(Context());
  const auto served = ServedOperations(*contract.routes);
  EXPECT_THAT(served, Contains("GET /openapi.json"));
  EXPECT_EQ(DescribedOperations(document()), served);
  if (contract.on_shutdown) contract.on_shutdown();
}

TEST_P(ContractDocs, LieWhereTheContractLies) {
  const auto text = ReadSmallFile(document());
  ASSERT_TRUE(text.has_value());
  const auto json = nlohmann::json::parse(*text);
  EXPECT_EQ(json["openapi"], "3.1.0");
  EXPECT_EQ(json["servers"][0]["url"], "./");  // under /compat/NAME, too
}

std::string TestName(const testing::TestParamInfo<Contract>& contract) {
  std::string name(ContractName(contract.param));
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(All, ContractDocs, testing::ValuesIn(kContracts), TestName);

}  // namespace
}  // namespace unmask::compat
