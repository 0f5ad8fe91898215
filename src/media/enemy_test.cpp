// SPDX-License-Identifier: Apache-2.0
//
// What a decoder that an attacker has taken over can do to its parent: give an error, and nothing else.

#include <filesystem>
#include <fstream>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.hpp"
#include "base/id.hpp"
#include "media/frame_stream.hpp"

namespace unmask {
namespace {

namespace fs = std::filesystem;

class EnemyTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::path(testing::TempDir()) / ("unmask-enemy-" + NewTraceId());
    fs::create_directory(folder_);
    limits_.decoder_wall = 30;
  }
  void TearDown() override { fs::remove_all(folder_); }

  Result<std::unique_ptr<FrameStream>> Open(const std::string& deed, std::stop_token stop = {},
                                            SamplePlan plan = {.max_frames = 100}) {
    if (!pool_) pool_ = DecoderPool::Create(fs::path(UNMASK_BUILD_DIR) / "enemy-decoder", limits_, 0).value();
    std::ofstream(folder_ / "deed") << deed;
    return FrameStream::Open(*pool_, OpenForReading(folder_ / "deed").value(), plan, stop);
  }

  // With frames 5 and 7 picked.
  Result<std::unique_ptr<FrameStream>> OpenPicking(const std::string& deed) {
    const auto pick = [](const MediaInfo&) -> Result<FramePick> { return FramePick{.indices = {5, 7}}; };
    return Open(deed, {}, {.mode = SampleMode::kPicked, .max_frames = 100, .pick = pick});
  }

  Error ErrorOfOpen(const std::string& deed) {
    auto stream = Open(deed);
    return stream ? Error{.message = "opened"} : stream.error();
  }

  // The error after one good frame that is kept.
  Error ErrorAfterAFrame(const std::string& deed) {
    auto stream = Open(deed);
    if (!stream) return stream.error();
    auto first = (*stream)->Next();
    EXPECT_TRUE(first && *first) << deed;
    auto second = (*stream)->Next();
    if (second) return Error{.message = "no error"};
    EXPECT_FALSE((*stream)->Next()) << "the error did not last";
    EXPECT_EQ((*first)->bgr.at<cv::Vec3b>(47, 63), cv::Vec3b()) << "pixels went away";
    return second.error();
  }

  fs::path folder_;
  MediaLimits limits_;
  std::unique_ptr<DecoderPool> pool_;
};

TEST_F(EnemyTest, DeathIsACrashThatNamesItsCause) {
  EXPECT_EQ(ErrorOfOpen("exit").code, ErrorCode::kDecoderCrashed);
  EXPECT_THAT(ErrorOfOpen("segv").message, testing::HasSubstr("SIGSEGV"));
  EXPECT_THAT(ErrorOfOpen("sigsys").message, testing::HasSubstr("sandbox"));
  EXPECT_EQ(ErrorOfOpen("kill itself").code, ErrorCode::kDecoderCrashed);
  EXPECT_EQ(ErrorAfterAFrame("killed in the middle").code, ErrorCode::kDecoderCrashed);
}

TEST_F(EnemyTest, TooMuchProcessorTimeIsATimeout) {
  EXPECT_EQ(ErrorOfOpen("spin").code, ErrorCode::kDecoderTimeout);
}

TEST_F(EnemyTest, SilenceIsATimeout) {
  limits_.decoder_wall = 0.2;
  EXPECT_EQ(ErrorOfOpen("hang").code, ErrorCode::kDecoderTimeout);
}

TEST_F(EnemyTest, HangingUpWithoutDyingDoesNotHangTheParent) {
  EXPECT_EQ(ErrorOfOpen("hang after hanging up").code, ErrorCode::kDecoderCrashed);
}

TEST_F(EnemyTest, NonsenseBeforeTheFirstFrameIsRefused) {
  for (const char* deed : {"garbage", "flood", "descriptor", "huge", "negative", "frame first"}) {
    const Error error = ErrorOfOpen(deed);
    EXPECT_EQ(error.code, ErrorCode::kDecoderCrashed) << deed;
    EXPECT_THAT(error.message, testing::HasSubstr("nonsense")) << deed;
  }
}

TEST_F(EnemyTest, NonsenseBetweenFramesIsRefused) {
  for (const char* deed :
       {"twice", "slot beyond", "slot far beyond", "slot in use", "time nan", "time back", "index back"}) {
    const Error error = ErrorAfterAFrame(deed);
    EXPECT_EQ(error.code, ErrorCode::kDecoderCrashed) << deed;
    EXPECT_THAT(error.message, testing::HasSubstr("nonsense")) << deed;
  }
}

TEST_F(EnemyTest, NumbersThatAreNoneAndTextThatIsNoneDoNotReachTheReport) {
  auto stream = Open("strange facts").value();
  EXPECT_FALSE(stream->info().duration);
  EXPECT_FALSE(stream->info().fps);
  EXPECT_FALSE(stream->info().frames);
  EXPECT_EQ(stream->info().codec, std::string(16, '?'));
  EXPECT_EQ(stream->summary().used_fps, 0);
  EXPECT_FALSE(stream->Next().value());
}

TEST_F(EnemyTest, MoreFramesThanAskedForAreRefused) {
  auto stream = Open("endless").value();
  int frames = 0;
  for (;;) {
    auto frame = stream->Next();
    if (!frame) {
      EXPECT_EQ(frame.error().code, ErrorCode::kDecoderCrashed);
      break;
    }
    ++frames;
  }
  EXPECT_EQ(frames, 100);
}

TEST_F(EnemyTest, AFrameThatWasNotPickedIsRefused) {
  auto stream = OpenPicking("not picked");
  ASSERT_TRUE(stream);
  const auto frame = (*stream)->Next();
  ASSERT_FALSE(frame);
  EXPECT_EQ(frame.error().code, ErrorCode::kDecoderCrashed);
  EXPECT_THAT(frame.error().message, testing::HasSubstr("not picked"));
}

TEST_F(EnemyTest, ADecoderThatDoesNotReadThePickIsATimeout) {
  limits_.decoder_wall = 0.2;
  auto stream = OpenPicking("deaf");
  ASSERT_TRUE(stream) << "the pick did not fit into the socket's buffer";
  EXPECT_EQ((*stream)->Next().error().code, ErrorCode::kDecoderTimeout);
}

TEST_F(EnemyTest, TheFrameMemoryCannotBeTakenAway) {
  auto stream = Open("grow").value();
  auto frame = stream->Next().value();
  EXPECT_EQ(frame->bgr.at<cv::Vec3b>(47, 63), cv::Vec3b());
  EXPECT_FALSE(stream->Next().value());
  EXPECT_TRUE(stream->summary().truncated) << "resizing was not refused";
}

TEST_F(EnemyTest, CancellingWakesACallThatWaits) {
  std::stop_source stop;
  std::jthread canceller;
  auto stream = [&] {
    canceller = std::jthread([&] { stop.request_stop(); });
    return Open("hang", stop.get_token());
  }();
  ASSERT_FALSE(stream);
  EXPECT_EQ(stream.error().code, ErrorCode::kCancelled);
}

TEST_F(EnemyTest, AProgramThatDoesNotExistIsAnErrorOfTheInstallation) {
  const auto pool = DecoderPool::Create(folder_ / "absent", limits_, 1);
  ASSERT_FALSE(pool);
  EXPECT_EQ(pool.error().code, ErrorCode::kInternal);
}

TEST_F(EnemyTest, AProgramThatCannotRunIsAnErrorAndNotAHang) {
  std::ofstream(folder_ / "broken") << "not a program";
  fs::permissions(folder_ / "broken", fs::perms::owner_all);
  const auto pool = DecoderPool::Create(folder_ / "broken", limits_, 1).value();
  for (int i = 0; i < 3; ++i) {
    auto stream = FrameStream::Open(*pool, OpenForReading(folder_ / "broken").value(), {});
    ASSERT_FALSE(stream);
    EXPECT_EQ(stream.error().code, ErrorCode::kInternal);
  }
}

}  // namespace
}  // namespace unmask
