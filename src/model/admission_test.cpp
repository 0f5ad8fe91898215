// SPDX-License-Identifier: Apache-2.0
// What a version must pass before it serves: golden inputs, and a trial in a process of its own.
#include "model/admission.hpp"

#include <filesystem>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "base/file.hpp"
#include "base/hash.hpp"
#include "base/id.hpp"
#include "model/trial.hpp"

namespace unmask {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::HasSubstr;

/// Gives the mean of its input as the logit.
class MeanNetwork final : public Network {
 public:
  Result<std::vector<Tensor>> Infer(const Tensor& input) override {
    double sum = 0;
    for (const float value : input.values) sum += static_cast<double>(value);
    return std::vector<Tensor>{
        {.name = "logit", .shape = {1, 1}, .values = {static_cast<float>(sum / input.values.size())}}};
  }
  void Start(Tensor input, std::stop_token, Done done) override { done(Infer(input)); }
  std::size_t width() const override { return 1; }
};

class Golden : public testing::Test {
 protected:
  Golden() { fs::create_directories(folder_); }
  ~Golden() override { fs::remove_all(folder_); }

  Result<GoldenResult> Check(const std::string& golden) {
    EXPECT_TRUE(WriteFileAtomically(folder_ / "golden.json", golden));
    return CheckGolden(scorer_);
  }
  static json Case(double logit, const std::string& source = "synthetic") {
    return {{"name", "a case"}, {"source", source}, {"rect", {0, 0, 4, 4}}, {"logit", logit}};
  }
  static std::string Of(const std::vector<json>& cases, double tolerance = 0.02) {
    return json{{"tolerance", tolerance}, {"cases", cases}}.dump();
  }
  static ModelCard CardIn(const fs::path& folder) {
    ModelCard card;
    card.folder = folder;
    card.output_name = "logit";
    card.input = {.name = "image", .width = 4, .height = 4};
    return card;
  }

  const fs::path folder_ = fs::temp_directory_path() / ("unmask-golden-" + NewId());
  const Scorer scorer_{CardIn(folder_), std::make_unique<MeanNetwork>(), 1};
};

TEST_F(Golden, MustBeThere) {
  const auto result = CheckGolden(scorer_);
  ASSERT_FALSE(result);
  EXPECT_THAT(result.error().message, HasSubstr("no golden.json"));
  EXPECT_THAT(result.error().hint, HasSubstr("unmask model golden"));
}

TEST_F(Golden, PassesWhatMakeGoldenMade) {
  const auto made = MakeGolden(scorer_);
  ASSERT_TRUE(made);
  const auto result = Check(*made);
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result->cases, 3);
  EXPECT_LT(result->worst, 1e-3);
}

TEST_F(Golden, NamesTheCaseThatDiffers) {
  const double logit = json::parse(MakeGolden(scorer_).value())["cases"][0]["logit"];
  EXPECT_TRUE(Check(Of({Case(logit + 0.019)})));
  const auto result = Check(Of({Case(logit), Case(logit + 0.021)}));
  ASSERT_FALSE(result);
  EXPECT_THAT(result.error().message, HasSubstr("'a case'"));
}

TEST_F(Golden, ReadsRawPicturesAndChecksThem) {
  const std::string pixels(4 * 4 * 3, '\x64');
  ASSERT_TRUE(WriteFileAtomically(folder_ / "flat.bgr", pixels));
  json item = Case(100, "flat.bgr");
  EXPECT_TRUE(Check(Of({item})));
  item["sha256"] = std::string(64, '0');
  EXPECT_THAT(Check(Of({item})).error().message, HasSubstr("another sha256"));
  ASSERT_TRUE(WriteFileAtomically(folder_ / "flat.bgr", pixels.substr(1)));
  EXPECT_THAT(Check(Of({Case(100, "flat.bgr")})).error().message, HasSubstr("has 47 bytes"));
}

TEST_F(Golden, RefusesWhatProvesNothing) {
  json huge = Case(0);
  huge["rect"] = {0, 0, 100000, 100000};
  for (const std::string& text : {std::string(), std::string("{"), Of(std::vector<json>{}),
                                  Of({Case(0, "astronaut.png")}), Of({Case(0)}, 0), Of({Case(0)}, 2),
                                  Of({huge}), Of({Case(0, "../flat.bgr")}), Of({Case(0, "absent.bgr")})}) {
    const auto result = Check(text);
    ASSERT_FALSE(result) << text;
    EXPECT_EQ(result.error().code, ErrorCode::kInternal);
  }
}

TEST(Trial, GivesWhatTheProgramSaidAndHowItEnded) {
  const auto well = RunTrial("/bin/sh", {"-c", "echo out; echo err >&2"}, 60);
  ASSERT_TRUE(well) << well.error().message;
  EXPECT_TRUE(well->ok);
  EXPECT_EQ(well->said, "out\nerr\n");
  const auto badly = RunTrial("/bin/sh", {"-c", "echo no; exit 3"}, 60);
  EXPECT_FALSE(badly->ok);
  EXPECT_EQ(badly->ending, "exit code 3");
}

TEST(Trial, OutlivesACrash) {
  const auto crashed = RunTrial("/bin/sh", {"-c", "kill -SEGV $$"}, 60);
  ASSERT_TRUE(crashed);
  EXPECT_FALSE(crashed->ok);
  EXPECT_THAT(crashed->ending, HasSubstr("signal 11"));
}

TEST(Trial, EndsWhatDoesNotEnd) {
  const auto late = RunTrial("/bin/sh", {"-c", "sleep 600 & wait"}, 0.2);
  ASSERT_TRUE(late);
  EXPECT_FALSE(late->ok);
  EXPECT_THAT(late->ending, HasSubstr("no end within"));
}

TEST(Trial, EndsWhenItIsStopped) {
  const fs::path begun = fs::temp_directory_path() / ("unmask-begun-" + NewId());
  std::stop_source stop;
  const std::jthread stopper([&] {
    while (!fs::exists(begun)) std::this_thread::yield();
    stop.request_stop();
  });
  const auto stopped =
      RunTrial("/bin/sh", {"-c", "touch " + begun.string() + "; sleep 600 & wait"}, 600, stop.get_token());
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().code, ErrorCode::kCancelled);
  EXPECT_FALSE(RunTrial("/bin/sh", {"-c", "sleep 600"}, 600, stop.get_token())) << "stopped before";
  fs::remove(begun);
}

TEST(Trial, BoundsWhatItKeeps) {
  const auto loud = RunTrial("/bin/sh", {"-c", "head -c 1000000 /dev/zero"}, 60);
  ASSERT_TRUE(loud);
  EXPECT_TRUE(loud->ok);
  EXPECT_EQ(loud->said.size(), std::size_t{64} << 10);
}

TEST(Trial, SaysThatItCannotStart) {
  EXPECT_EQ(RunTrial("/nosuch/program", {}, 1).error().code, ErrorCode::kInternal);
}

/// A stand-in for the program that verifies.
class Trials : public Golden {
 protected:
  Result<ServedModel::Loaded> Load(const std::string& script, const json& engine = nullptr) {
    const fs::path program = folder_ / "verify.sh";
    EXPECT_TRUE(WriteFileAtomically(program, "#!/bin/sh\n" + script));
    fs::permissions(program, fs::perms::owner_all);
    ModelCard card = CardIn(folder_ / "1");
    card.name = "face";
    card.version = 1;
    card.files = {{"absent.xml", std::string(64, '0')}};
    card.network_file = "absent.xml";
    card.json = json{{"engine", engine}}.dump();
    return LoadAfterTrial(card, {}, {.trial = program});
  }
};

TEST_F(Trials, ThatFailKeepTheVersionOutOfThisProcess) {
  const auto crashed = Load("kill -SEGV $$\n");
  ASSERT_FALSE(crashed);
  EXPECT_THAT(crashed.error().message, HasSubstr("signal 11"));
  const auto refused = Load(
      "echo noise of the engine\necho '{\"ok\":false,\"error\":{\"message\":\"it is bad\",\"hint\":\"mend "
      "it\"}}'\nexit 3\n");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message, "it is bad");
  EXPECT_EQ(refused.error().hint, "mend it");
}

TEST_F(Trials, SayThatAnEngineElsewhereIsNotThere) {
  const auto missing = Load(
      "echo '{\"ok\":false,\"error\":{\"code\":\"overloaded\",\"message\":\"nobody is there\"}}'\nexit 3\n");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ErrorCode::kOverloaded);
  EXPECT_EQ(missing.error().message, "nobody is there");
}

TEST_F(Trials, AreNotMadeOfWhatRunsElsewhereAlone) {
  const json nowhere = {{"type", "kserve-v2"}, {"url", "http://127.0.0.1:1"}, {"attempts", 1}};
  const auto missing = Load("touch \"$0.ran\"\nexit 0\n", nowhere);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ErrorCode::kOverloaded) << "so that it is tried again";
  EXPECT_THAT(missing.error().message, HasSubstr("cannot be reached"));
  EXPECT_FALSE(fs::exists(folder_ / "verify.sh.ran"));
}

TEST_F(Trials, ThatPassAreFollowedByTheSameChecksHere) {
  const auto loaded = Load("exit 0\n");
  ASSERT_FALSE(loaded);
  EXPECT_THAT(loaded.error().message, HasSubstr("absent.xml"));
}

}  // namespace
}  // namespace unmask
