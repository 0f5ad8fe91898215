// SPDX-License-Identifier: Apache-2.0
// A version whose engine runs elsewhere and is not there: it waits, and is loaded again by a clock of the
// test.
#include <atomic>
#include <filesystem>
#include <future>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "model/test_served.hpp"

namespace unmask {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using testing::HasSubstr;

constexpr double kLong = 20;  // seconds: a test that fails waits so long, others a few milliseconds

tl::unexpected<Error> Away(const std::string& what = "cannot be reached") {
  return Fail(ErrorCode::kOverloaded, "the remote engine of face " + what, "start it");
}

/// A repository whose versions are loaded by engines that the test switches on and off.
class Waiting : public WithServedRepository {
 protected:
  ~Waiting() override { model_.reset(); }

  /// A version that says "remote" loads while `engine_` is there, "wrong" never, others always.
  Result<ServedModel::Loaded> Load(const ModelCard& card) {
    ++loads_;
    if (card.description == "remote" && !engine_) return Away();
    if (card.description == "wrong" || lies_)
      return Fail(ErrorCode::kInternal, "the golden input 'a' gives the logit 7", "export it again");
    return LoadNothing(card);
  }

  Result<void> Begin(std::stop_token stop = {}) {
    const auto load = [this](const ModelCard& card, const std::stop_token&) { return Load(card); };
    auto model = ServedModel::Create({.root = root_,
                                      .name = "face",
                                      .policy = *ParseVersionPolicy("latest:2"),
                                      .interval = 3600,
                                      .retry = {.first = 1, .longest = 4},
                                      .stop = std::move(stop),
                                      .now = [this] { return Now(); }},
                                     load, load);
    if (!model) return tl::unexpected(model.error());
    model_ = std::move(*model);
    return {};
  }

  ServedModel::Clock::time_point Now() const {
    return ServedModel::Clock::time_point(milliseconds(now_.load()));
  }
  /// Lets the clock go on, and the model look at it.
  void Pass(double seconds) {
    now_ += static_cast<int>(seconds * 1000);
    model_->LookNow();
  }

  std::optional<VersionStatus> Of(int version) const {
    for (const auto& status : model_->Status())
      if (status.version == version) return status;
    return std::nullopt;
  }

  bool Await(int version, const std::function<bool(const VersionStatus&)>& holds) const {
    return model_->Await(
        [&](const auto& all) {
          for (const auto& status : all)
            if (status.version == version) return holds(status);
          return false;
        },
        kLong);
  }
  bool Waits(int version, int tries) const {
    return Await(version, [&](const VersionStatus& status) {
      return status.state == VersionState::kLoading && status.tries == tries && status.retry_in;
    });
  }
  bool Reaches(int version, VersionState state) const {
    return Await(version, [&](const VersionStatus& status) { return status.state == state; });
  }

  std::atomic<bool> engine_ = false;  // is there
  std::atomic<bool> lies_ = false;
  std::atomic<int> loads_ = 0;
  std::atomic<int> now_ = 1'000'000;  // milliseconds
  std::unique_ptr<ServedModel> model_;
};

TEST_F(Waiting, BeginsWithNoVersionAndSaysWhatItWaitsFor) {
  Put(1, "remote");
  ASSERT_TRUE(Begin());
  const auto status = Of(1);
  ASSERT_TRUE(status && status->error);
  EXPECT_EQ(status->state, VersionState::kLoading);
  EXPECT_EQ(status->error->message, "the remote engine of face cannot be reached");
  EXPECT_EQ(status->tries, 1);
  ASSERT_TRUE(status->retry_in);
  EXPECT_GE(*status->retry_in, 0.5);
  EXPECT_LE(*status->retry_in, 1);
  EXPECT_FALSE(status->serving);
  EXPECT_EQ(model_->serving(), 0);
  EXPECT_EQ(model_->card().version, 1) << "what is to serve";
  for (const auto& error : {model_->Ready().error(), model_->Take("").error()}) {
    EXPECT_EQ(error.code, ErrorCode::kOverloaded);
    EXPECT_THAT(error.message, HasSubstr("no version of the model 'face' is available yet"));
    EXPECT_THAT(error.message, HasSubstr("face:1 waits for its engine: the remote engine of face cannot"));
    EXPECT_THAT(error.hint, HasSubstr("/v1/models/face"));
  }
  EXPECT_FALSE(model_->TakeNamed(""));
  EXPECT_FALSE(model_->TakeNamed("1"));
  const auto log = RolloutFiles(root_ / "face").Log(10);
  EXPECT_TRUE(log && log->empty()) << "it has not failed";
}

TEST_F(Waiting, ServesOnceTheEngineIsThere) {
  Put(1, "remote");
  ASSERT_TRUE(Begin());
  engine_ = true;
  Pass(1);
  ASSERT_TRUE(Reaches(1, VersionState::kAvailable));
  EXPECT_TRUE(model_->Ready());
  EXPECT_EQ(model_->Take("")->scorer->card().version, 1);
  EXPECT_FALSE(Of(1)->error);
  EXPECT_EQ(Of(1)->tries, 0);
  EXPECT_FALSE(Of(1)->retry_in);
}

TEST_F(Waiting, TriesAgainWhenItsTimeHasComeAndNotBefore) {
  Put(1, "remote");
  ASSERT_TRUE(Begin());
  Pass(0.4);  // the first wait is half a second at least
  Put(2);     // what comes of it shows that the look is over
  model_->LookNow();
  ASSERT_TRUE(Reaches(2, VersionState::kAvailable));
  EXPECT_EQ(Of(1)->tries, 1);
  Pass(0.6);
  ASSERT_TRUE(Waits(1, 2));
  EXPECT_GE(*Of(1)->retry_in, 1) << "twice as long";
  for (int tries = 3; tries <= 6; ++tries) {
    Pass(4);
    ASSERT_TRUE(Waits(1, tries));
    EXPECT_LE(*Of(1)->retry_in, 4) << "the longest wait";
  }
}

TEST_F(Waiting, EndsAtOnceWhenTheEngineIsThereAndWrong) {
  Put(1, "remote");
  ASSERT_TRUE(Begin());
  engine_ = lies_ = true;
  Pass(1);
  ASSERT_TRUE(Reaches(1, VersionState::kEnd));
  EXPECT_THAT(Of(1)->error->message, HasSubstr("golden input"));
  EXPECT_FALSE(Of(1)->retry_in);
  EXPECT_EQ(Of(1)->tries, 0);
  EXPECT_EQ(model_->Ready().error().code, ErrorCode::kOverloaded);
  const auto log = RolloutFiles(root_ / "face").Log(10);
  ASSERT_TRUE(log && log->size() == 1);
  EXPECT_THAT(log->front().reason, HasSubstr("golden input"));
}

TEST_F(Waiting, DoesNotBeginWithAWrongVersionAlone) {
  Put(1, "wrong");
  const auto begun = Begin();
  ASSERT_FALSE(begun);
  EXPECT_THAT(begun.error().message, HasSubstr("golden input"));
}

TEST_F(Waiting, ServesALowerVersionMeanwhile) {
  Put(1);
  Put(2, "remote");
  ASSERT_TRUE(Begin());
  EXPECT_EQ(model_->serving(), 1);
  ASSERT_TRUE(Waits(2, 1));
  engine_ = true;
  Pass(1);
  EXPECT_TRUE(Await(2, [](const VersionStatus& status) { return status.serving; }));
}

TEST_F(Waiting, KeepsToTheStableVersionAlthoughOthersCouldServe) {
  Put(1);
  Put(2, "remote");
  Label({.stable = 2});
  ASSERT_TRUE(Begin());
  ASSERT_TRUE(Reaches(1, VersionState::kAvailable)) << "the policy loads it";
  EXPECT_THAT(model_->Take("").error().message, HasSubstr("face:2 waits"));
  Label({.stable = 1});  // the way out
  model_->LookNow();
  EXPECT_TRUE(Await(1, [](const VersionStatus& status) { return status.serving; }));
}

TEST_F(Waiting, GoesOnWithAVersionThatThePolicyWouldNotKeepWhileNoneServes) {
  Put(1, "remote");
  Put(2, "wrong");
  Put(3, "wrong");
  ASSERT_TRUE(Begin());
  model_->LookNow();  // latest:2 wants 2 and 3
  engine_ = true;
  Pass(1);
  EXPECT_TRUE(Await(1, [](const VersionStatus& status) { return status.serving; }));
}

TEST_F(Waiting, WaitsNoLongerForWhatIsNotWantedOrGone) {
  Put(1);
  Put(2, "remote");
  Put(3, "remote");
  ASSERT_TRUE(Begin());
  ASSERT_TRUE(Waits(2, 1));
  ASSERT_TRUE(Waits(3, 1));
  fs::remove_all(root_ / "face" / "3");
  Put(4);
  Put(5);  // latest:2 wants 4 and 5
  model_->LookNow();
  ASSERT_TRUE(Reaches(2, VersionState::kEnd));
  EXPECT_FALSE(Of(2)->error) << "it has not failed";
  ASSERT_TRUE(Reaches(5, VersionState::kAvailable));
  EXPECT_FALSE(Of(3));
}

TEST_F(Waiting, LooksAtAChangedFolderAtOnce) {
  Put(1, "remote");
  ASSERT_TRUE(Begin());
  Put(1, "here");
  model_->LookNow();
  EXPECT_TRUE(Reaches(1, VersionState::kAvailable));
}

TEST_F(Waiting, EndsAtOnceWhenItGoes) {
  Put(1, "remote");
  ASSERT_TRUE(Begin());
  ASSERT_TRUE(Waits(1, 1));
  model_.reset();  // with a wait that the clock of the test never ends
  EXPECT_EQ(loads_, 1);
}

TEST_F(Waiting, GivesUpItsStart) {
  Put(1, "remote");
  std::stop_source stop;
  stop.request_stop();
  const auto begun = Begin(stop.get_token());
  ASSERT_FALSE(begun);
  EXPECT_EQ(begun.error().code, ErrorCode::kCancelled);
  const auto log = RolloutFiles(root_ / "face").Log(10);
  EXPECT_TRUE(log && log->empty()) << "it says nothing of the version";
}

}  // namespace
}  // namespace unmask
