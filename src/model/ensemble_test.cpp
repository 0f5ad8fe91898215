// SPDX-License-Identifier: Apache-2.0
#include "model/ensemble.hpp"

#include <cmath>
#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "base/file.hpp"
#include "base/hash.hpp"
#include "base/id.hpp"
#include "model/golden.hpp"
#include "model/model_network.hpp"
#include "model/repository.hpp"
#include "model/scorer.hpp"

namespace unmask {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

const std::string kOnes(64, '1');
const std::string kTwos(64, '2');

json Member(const std::string& model, int version, const std::string& sha256 = kOnes) {
  return {{"model", model}, {"version", version}, {"sha256", sha256}};
}

json Mean() {
  return {{"members", {Member("face", 1), Member("face", 2, kTwos)}},
          {"combination", {{"method", "mean_logit"}}}};
}

json Weighted(const json& weights, const json& bias = 0.5) {
  json ensemble = Mean();
  ensemble["combination"] = {{"method", "weighted"}, {"weights", weights}, {"bias", bias}};
  return ensemble;
}

json CardOf(const json& ensemble, const std::string& name = "duo") {
  return {{"schema", "unmask.model/1"},
          {"name", name},
          {"version", 1},
          {"ensemble", ensemble},
          {"calibration", {{"slope", 2.0}, {"intercept", -1.0}}},
          {"thresholds",
           {{"manipulated", {{"score", 0.9}, {"fpr", 0.01}}}, {"clear", {{"score", 0.4}, {"fpr", 0.1}}}}}};
}

std::string ErrorOf(const json& ensemble) {
  const auto read = ReadEnsemble(ensemble);
  return read ? "no error" : read.error().message;
}

TEST(Ensemble, ReadsMembersAndCombinationAndWritesTheSame) {
  for (const json& stated : {Mean(), Weighted({0.25, 1.5}, -0.75)}) {
    const auto ensemble = ReadEnsemble(stated);
    ASSERT_TRUE(ensemble) << ensemble.error().message;
    EXPECT_EQ(MemberNames(*ensemble), "face:1, face:2");
    EXPECT_EQ(ensemble->members[1].sha256, kTwos);
    EXPECT_EQ(json(ToJsonValue(*ensemble)), stated);
  }
}

TEST(Ensemble, CombinesLogits) {
  const std::vector<double> logits = {1, 4};
  EXPECT_DOUBLE_EQ(Combine(ReadEnsemble(Mean())->combination, logits), 2.5);
  EXPECT_DOUBLE_EQ(Combine(ReadEnsemble(Weighted({0.25, 1.5}, -0.75))->combination, logits), 5.5);
}

TEST(Ensemble, SaysWhatIsWrongWithItsCard) {
  const auto with = [](const char* pointer, const json& value) {
    json ensemble = Mean();
    ensemble[json::json_pointer(pointer)] = value;
    return ensemble;
  };
  for (const auto& [ensemble, words] : std::vector<std::pair<json, std::vector<std::string>>>{
           {json(3), {"members and combination"}},
           {with("/members", json::array()), {"2 to 16", "found 0"}},
           {with("/members", json::array({Member("face", 1)})), {"2 to 16", "found 1"}},
           {with("/members", "face"), {"found string"}},
           {with("/members/0", "face:1"), {"must hold objects"}},
           {with("/members/0/version", 0), {"version 0"}},
           {with("/members/0/version", 1LL << 40), {"version 1099511627776"}},
           {with("/members/0/model", "../face"), {"'../face'"}},
           {with("/members/0/sha256", "12"), {"64 hexadecimal digits", "face:1"}},
           {with("/members/1", Member("face", 1)), {"face:1 twice"}},
           {with("/combination/method", "median"), {"'median'", "mean_logit or weighted"}},
           {with("/combination", json::array()), {"mean_logit or weighted"}},
           {Weighted({0.5}), {"2 members", "found 1"}},
           {Weighted({0.5, 0.5, 0.5}), {"2 members", "found 3"}},
           {Weighted("equal"), {"2 members", "found none"}},
           {Weighted({0.5, std::nan("")}), {"weights holds null", "finite"}},
           {Weighted({0.5, -0.1}), {"weights holds -0.1"}},
           {Weighted({0, 0}), {"all 0"}},
           {Weighted({1, 1}, std::nan("")), {"bias is null"}}}) {
    const std::string error = ErrorOf(json::parse(ensemble.dump()));
    for (const std::string& word : words) EXPECT_THAT(error, HasSubstr(word)) << ensemble.dump();
  }
}

TEST(EnsembleCard, HasTheHashOfItsTextAndNoNetwork) {
  const std::string text = CardOf(Mean()).dump();
  const auto card = ParseModelCard(text);
  ASSERT_TRUE(card) << card.error().message;
  Sha256 hash;
  hash.Update(text);
  EXPECT_EQ(card->sha256, hash.Finish());
  EXPECT_DOUBLE_EQ(card->calibration.slope, 2);
  EXPECT_THAT(LoadModelNetwork(*card, {}).error().message, HasSubstr("no network of its own"));
  EXPECT_THAT(Scorer::Load(*card, {}).error().message, HasSubstr("without its members"));
}

TEST(EnsembleCard, RefusesAnInputOfItsOwn) {
  json card = CardOf(Mean());
  card["input"] = {{"width", 160}};
  EXPECT_THAT(ParseModelCard(card.dump()).error().message,
              AllOf(HasSubstr("\"input\""), HasSubstr("member")));
}

/// A repository of cards alone: face:1 and face:2 with other hashes, and what a test puts in.
class EnsembleRepository : public testing::Test {
 protected:
  EnsembleRepository() {
    const json face =
        json::parse(ReadSmallFile(fs::path(UNMASK_SOURCE_DIR) / "models/face/1/model.json").value());
    for (const int version : {1, 2}) {
      json card = face;
      card["version"] = version;
      card["network"]["files"]["face.bin"] = version == 1 ? kOnes : kTwos;
      Put("face", version, card);
    }
  }
  ~EnsembleRepository() override { fs::remove_all(root_); }

  void Put(const std::string& name, int version, const json& card) {
    const fs::path folder = root_ / name / std::to_string(version);
    fs::create_directories(folder);
    EXPECT_TRUE(WriteFileAtomically(folder / "model.json", card.dump()));
  }
  std::string ErrorWith(const json& ensemble) {
    Put("duo", 1, CardOf(ensemble));
    const auto card = ModelRepository(root_).Find("duo");
    return card ? "no error" : card.error().message + " | " + card.error().hint;
  }

  const fs::path root_ = fs::temp_directory_path() / ("unmask-ensemble-" + NewId());
};

TEST_F(EnsembleRepository, GivesTheMembersCards) {
  Put("duo", 1, CardOf(Mean()));
  const auto card = ModelRepository(root_).Find("duo:1");
  ASSERT_TRUE(card) << card.error().message;
  ASSERT_EQ(card->members.size(), 2u);
  EXPECT_EQ(card->members[1].version, 2);
  EXPECT_EQ(card->members[1].folder, root_ / "face" / "2");
}

TEST_F(EnsembleRepository, RefusesMembersThatItCannotTrust) {
  json ensemble = Mean();
  ensemble["members"][1] = Member("face", 9);
  EXPECT_THAT(ErrorWith(ensemble), AllOf(HasSubstr("duo:1 needs face:9"), HasSubstr("put face:9 back")));
  ensemble["members"][1] = Member("nets", 1);
  EXPECT_THAT(ErrorWith(ensemble), HasSubstr("duo:1 needs nets:1"));
  ensemble["members"][1] = Member("face", 2, kOnes);
  EXPECT_THAT(ErrorWith(ensemble), AllOf(HasSubstr("face:2 of the sha256 1111"), HasSubstr("found 2222")));
  ensemble["members"][1] = Member("duo", 1);
  EXPECT_THAT(ErrorWith(ensemble), HasSubstr("names itself"));
  Put("trio", 1, CardOf(Mean(), "trio"));
  ensemble["members"][1] = Member("trio", 1);
  EXPECT_THAT(ErrorWith(ensemble), HasSubstr("trio:1, which is an ensemble itself (of face:1, face:2)"));
  // Two that name each other end there as well.
  json back = Mean();
  back["members"][1] = Member("duo", 1);
  Put("trio", 1, CardOf(back, "trio"));
  EXPECT_THAT(ErrorWith(ensemble), HasSubstr("trio:1, which is an ensemble itself (of face:1, duo:1)"));
  EXPECT_EQ(ErrorWith(Mean()), "no error");
}

TEST_F(EnsembleRepository, ChangesItsSignatureWithItsMembersFiles) {
  Put("duo", 1, CardOf(Mean()));
  const ModelRepository repository(root_);
  const auto before = repository.Versions("duo").value().front().signature;
  EXPECT_EQ(repository.Versions("duo").value().front().signature, before);
  ASSERT_TRUE(WriteFileAtomically(root_ / "face" / "2" / "golden.json", "{}"));
  EXPECT_NE(repository.Versions("duo").value().front().signature, before);
}

/// Gives `factor` times the mean of its input; or fails.
class FactorNetwork final : public Network {
 public:
  explicit FactorNetwork(float factor, bool fails = false) : factor_(factor), fails_(fails) {}
  Result<std::vector<Tensor>> Infer(const Tensor& input) override {
    if (fails_) return Fail(ErrorCode::kOverloaded, "the engine is not there");
    float sum = 0;
    for (const float value : input.values) sum += value;
    return std::vector<Tensor>{{.name = "logit",
                                .shape = {1, 1},
                                .values = {factor_ * sum / static_cast<float>(input.values.size())}}};
  }
  void Start(Tensor input, std::stop_token, Done done) override { done(Infer(input)); }
  std::size_t width() const override { return 1; }

 private:
  float factor_;
  bool fails_;
};

/// Two members that see different squares at different sizes; their logits are the brightness and twice it.
class TwoNetworks : public testing::Test {
 protected:
  TwoNetworks() {
    card_.name = "duo";
    card_.version = 1;
    card_.ensemble = ReadEnsemble(Mean()).value();
    for (const int version : {1, 2}) {
      ModelCard member;
      member.name = "face";
      member.version = version;
      member.output_name = "logit";
      member.input = {.name = "image", .width = 8 * version, .height = 8 * version};
      member.crop.scale = version;
      card_.members.push_back(member);
    }
  }
  Scorer Make(bool second_fails = false) {
    std::vector<std::unique_ptr<MemberScorer>> members;
    members.push_back(
        std::make_unique<MemberScorer>(card_.members[0], std::make_unique<FactorNetwork>(1.0F), 1));
    members.push_back(std::make_unique<MemberScorer>(card_.members[1],
                                                     std::make_unique<FactorNetwork>(2.0F, second_fails), 1));
    return Scorer(card_, std::move(members));
  }
  static cv::Mat Grey(int brightness) { return {32, 32, CV_8UC3, cv::Scalar::all(brightness)}; }

  ModelCard card_;
};

TEST_F(TwoNetworks, SeeTheirOwnSquaresAtTheirOwnSizes) {
  const Scorer scorer = Make();
  ASSERT_EQ(scorer.views().size(), 2u);
  EXPECT_EQ(scorer.views()[1].scale, 2);
  const std::vector<cv::Mat> crops = {Grey(10), Grey(20)};
  const std::vector<PreparedFace> faces = {scorer.Prepare(crops), scorer.Prepare(Grey(5))};
  EXPECT_EQ(faces[0].inputs[0].size(), cv::Size(8, 8));
  EXPECT_EQ(faces[0].inputs[1].size(), cv::Size(16, 16));
  const auto scores = scorer.Start(faces).get();
  ASSERT_TRUE(scores) << scores.error().message;
  EXPECT_FLOAT_EQ((*scores)[0].members[0].logit, 10);
  EXPECT_FLOAT_EQ((*scores)[0].members[1].logit, 40);
  EXPECT_FLOAT_EQ((*scores)[0].logit, 25);
  EXPECT_FLOAT_EQ((*scores)[1].logit, 7.5);
}

TEST_F(TwoNetworks, ShareAViewWhereTheirSquaresAreTheSame) {
  card_.members[1].crop = card_.members[0].crop;
  const Scorer scorer = Make();
  EXPECT_EQ(scorer.views().size(), 1u);
  EXPECT_EQ(scorer.view_of(1), 0u);
}

TEST_F(TwoNetworks, WeighTheirLogits) {
  card_.ensemble = ReadEnsemble(Weighted({0.5, 1.5}, -1)).value();
  const Scorer scorer = Make();
  const std::vector<PreparedFace> faces = {scorer.Prepare(Grey(2))};
  EXPECT_FLOAT_EQ(scorer.Start(faces).get().value()[0].logit, 0.5F * 2 + 1.5F * 4 - 1);
}

TEST_F(TwoNetworks, FailTogetherWhenOneFails) {
  const Scorer scorer = Make(true);
  const std::vector<PreparedFace> faces(2, scorer.Prepare(Grey(2)));
  const auto scores = scorer.Start(faces).get();
  ASSERT_FALSE(scores);
  EXPECT_EQ(scores.error().code, ErrorCode::kOverloaded);
  EXPECT_EQ(scores.error().message, "face:2, a member of duo:1: the engine is not there");
}

/// Notes how many faces each call has.
class NotingNetwork final : public Network {
 public:
  NotingNetwork(std::string name, std::vector<std::string>& calls) : name_(std::move(name)), calls_(calls) {}
  Result<std::vector<Tensor>> Infer(const Tensor& input) override {
    const std::size_t count = input.shape.front();
    calls_.push_back(name_ + " " + std::to_string(count));
    return std::vector<Tensor>{
        {.name = "logit", .shape = {count, 1}, .values = std::vector<float>(count, 1)}};
  }
  void Start(Tensor input, std::stop_token, Done done) override { done(Infer(input)); }
  std::size_t width() const override { return 1; }

 private:
  std::string name_;
  std::vector<std::string>& calls_;
};

TEST_F(TwoNetworks, LetTheOneElsewhereBeginWithAllFacesAtOnce) {
  std::vector<std::string> calls;
  const auto make = [&](std::size_t first, std::size_t second) {
    std::vector<std::unique_ptr<MemberScorer>> members;
    members.push_back(std::make_unique<MemberScorer>(card_.members[0],
                                                     std::make_unique<NotingNetwork>("first", calls), first));
    members.push_back(std::make_unique<MemberScorer>(
        card_.members[1], std::make_unique<NotingNetwork>("second", calls), second));
    return Scorer(card_, std::move(members));
  };
  const Scorer mixed = make(1, 0);
  EXPECT_TRUE(mixed.takes_any_number());
  EXPECT_FALSE(make(1, 1).takes_any_number());
  const std::vector<PreparedFace> faces(2, mixed.Prepare(Grey(2)));
  const auto scores = mixed.Start(faces).get();
  ASSERT_TRUE(scores) << scores.error().message;
  EXPECT_EQ(scores->size(), 2u);
  EXPECT_THAT(calls, ElementsAre("second 2", "first 1", "first 1"));
}

TEST_F(TwoNetworks, AreProvenTogetherAndEachAlone) {
  const fs::path root = fs::temp_directory_path() / ("unmask-ensemble-golden-" + NewId());
  card_.folder = root / "duo";
  card_.members[0].folder = root / "one";
  card_.members[1].folder = root / "two";
  for (const ModelCard* card : {&card_, &card_.members[0], &card_.members[1]})
    fs::create_directories(card->folder);
  const Scorer scorer = Make();
  EXPECT_THAT(CheckGolden(scorer).error().message, HasSubstr("duo:1 has no golden.json"));
  ASSERT_TRUE(WriteFileAtomically(root / "duo" / "golden.json", MakeGolden(scorer).value()));
  EXPECT_EQ(CheckGolden(scorer).value().cases, 3);
  // A member that drifts is found even where the sum would hide it.
  json golden = json::parse(MakeGolden(scorer).value());
  for (json& item : golden["cases"]) item["logit"] = item["logit"].get<double>() + 1;
  ASSERT_TRUE(WriteFileAtomically(root / "two" / "golden.json", golden.dump()));
  const auto drifted = CheckGolden(scorer);
  ASSERT_FALSE(drifted);
  EXPECT_THAT(drifted.error().message, HasSubstr("face:2, a member of duo:1: the golden input"));
  fs::remove_all(root);
}

}  // namespace
}  // namespace unmask
