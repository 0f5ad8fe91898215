// SPDX-License-Identifier: Apache-2.0
//
// Processes, descriptors, threads and cancelling, with the real unmask-decoder.

#include <poll.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <csignal>
#include <set>
#include <thread>

#include <gtest/gtest.h>

#include "media/decoder_process.hpp"
#include "media/test_clips.hpp"

namespace unmask {
namespace {

namespace fs = std::filesystem;

class LifecycleTest : public MediaTest {
 protected:
  static fs::path AnyClip() { return Clip("any.mp4", "-c:v libx264 -preset ultrafast", 4); }

  static std::size_t OpenDescriptors() {
    return static_cast<std::size_t>(
        std::distance(fs::directory_iterator("/proc/self/fd"), fs::directory_iterator()));
  }

  static std::set<pid_t> Children() {
    std::set<pid_t> children;
    for (const auto& task : fs::directory_iterator("/proc/self/task")) {
      std::ifstream list(task.path() / "children");
      for (pid_t child = 0; list >> child;) children.insert(child);
    }
    return children;
  }
};

TEST_F(LifecycleTest, FiftyFilesLeaveNoDescriptorAndNoZombie) {
  pool_ = MakePool({}, 0);
  const auto clip = AnyClip();
  const auto broken = Write("broken.mp4", std::string("\0\0\0\x10"
                                                      "ftypisom",
                                                      12));
  EXPECT_FALSE(Open(broken));
  const auto zygote = Children();
  EXPECT_EQ(zygote.size(), 1u);
  const std::size_t before = OpenDescriptors();
  for (int i = 0; i < 50; ++i) {
    if (i % 3 == 0) {
      EXPECT_FALSE(Open(broken));
    } else {
      auto stream = Open(clip).value();
      auto frame = stream->Next().value();  // and the rest is abandoned
      if (i % 3 == 1) stream.reset();       // before the frame
    }
  }
  EXPECT_EQ(OpenDescriptors(), before);
  EXPECT_EQ(Children(), zygote);
}

TEST_F(LifecycleTest, APoolTakesItsSparesWithIt) {
  pool_ = MakePool({}, 3);
  Decode(AnyClip());
  pool_.reset();
  EXPECT_TRUE(Children().empty());
}

TEST_F(LifecycleTest, FramesOutliveTheirStream) {
  std::optional<Frame> frame;
  cv::Mat copy;
  {
    auto stream = Open(AnyClip()).value();
    frame = stream->Next().value();
    copy = frame->bgr.clone();
  }
  EXPECT_TRUE(Same(frame->bgr, copy));
}

TEST_F(LifecycleTest, TheDecoderWaitsForSlotsAndGoesOn) {
  auto stream = Open(AnyClip(), {.fps = 25}).value();
  std::vector<Frame> held;
  int frames = 0;
  for (;;) {
    auto frame = stream->Next().value();
    if (!frame) break;
    ++frames;
    held.push_back(*frame);
    if (held.size() == 3) held.clear();
  }
  EXPECT_EQ(frames, 100);
}

TEST_F(LifecycleTest, CopiesOfAFrameShareItsSlot) {
  auto stream = Open(AnyClip(), {.fps = 25}).value();
  auto first = *stream->Next().value();
  const Frame copy = first;
  const cv::Mat pixels = first.bgr.clone();
  first = {};
  for (int i = 0; i < 10; ++i) stream->Next().value();
  EXPECT_TRUE(Same(copy.bgr, pixels));
}

TEST_F(LifecycleTest, KillingTheDecoderIsACrash) {
  pool_ = MakePool({}, 0);
  Decode(AnyClip());
  const auto zygote = Children();
  auto stream = Open(AnyClip(), {.fps = 25}).value();
  auto frame = stream->Next().value();
  auto children = Children();
  for (const pid_t pid : zygote) children.erase(pid);
  ASSERT_EQ(children.size(), 1u);
  ::kill(*children.begin(), SIGKILL);
  Error error;
  for (;;) {
    auto next = stream->Next();  // what had been sent before may still come
    if (!next) {
      error = next.error();
      break;
    }
    ASSERT_TRUE(*next) << "ended as if nothing had happened";
  }
  EXPECT_EQ(error.code, ErrorCode::kDecoderCrashed);
  EXPECT_EQ(Children(), zygote);
}

TEST_F(LifecycleTest, AZygoteThatDiesIsReplaced) {
  pool_ = MakePool({}, 0);
  const auto frames = Decode(AnyClip()).frames.size();
  const auto zygote = Children();
  ASSERT_EQ(zygote.size(), 1u);
  ::kill(*zygote.begin(), SIGKILL);
  EXPECT_EQ(Decode(AnyClip()).frames.size(), frames);
  EXPECT_EQ(Children().size(), 1u);
  EXPECT_NE(Children(), zygote);
}

TEST_F(LifecycleTest, CancelledBeforeOrBetweenFrames) {
  std::stop_source stop;
  auto stream = Open(AnyClip(), {.fps = 25}, stop.get_token()).value();
  EXPECT_TRUE(stream->Next().value());
  stop.request_stop();
  EXPECT_EQ(stream->Next().error().code, ErrorCode::kCancelled);
  EXPECT_EQ(stream->Next().error().code, ErrorCode::kCancelled);
  EXPECT_EQ(Open(AnyClip(), {}, stop.get_token()).error().code, ErrorCode::kCancelled);
}

TEST_F(LifecycleTest, ManyThreadsDecodeAtOnce) {
  const auto clip = AnyClip();
  const std::size_t expected = Decode(clip).frames.size();
  std::vector<std::jthread> threads;
  std::atomic<int> good = 0;
  for (int i = 0; i < 8; ++i)
    threads.emplace_back([&] {
      for (int round = 0; round < 3; ++round) {
        auto stream = Open(clip);
        std::size_t frames = 0;
        while (stream && (*stream)->Next().value()) ++frames;
        good += frames == expected;
      }
    });
  threads.clear();
  EXPECT_EQ(good, 24);
}

TEST_F(LifecycleTest, ADecoderDoesNotDieWithTheThreadThatAskedForIt) {
  std::unique_ptr<FrameStream> stream;
  std::jthread([&] { stream = Open(AnyClip(), {.fps = 25}).value(); }).join();
  int frames = 0;
  while (stream->Next().value()) ++frames;
  EXPECT_EQ(frames, 100);
}

TEST_F(LifecycleTest, DecodersDieWithTheirParent) {
  int report[2];
  ASSERT_EQ(::pipe(report), 0);
  const pid_t parent = ::fork();
  if (parent == 0) {
    auto zygote = Zygote::Start(fs::path(UNMASK_BUILD_DIR) / "unmask-decoder", {});
    auto process = zygote ? zygote->Split() : tl::unexpected(zygote.error());
    const pid_t pid = process ? process->pid() : -1;
    [[maybe_unused]] const ssize_t written = ::write(report[1], &pid, sizeof pid);
    ::raise(SIGKILL);
  }
  pid_t decoder = -1;
  ASSERT_EQ(::read(report[0], &decoder, sizeof decoder), static_cast<ssize_t>(sizeof decoder));
  ASSERT_GT(decoder, 0);
  const UniqueFd handle(static_cast<int>(::syscall(SYS_pidfd_open, decoder, 0)));
  ::waitpid(parent, nullptr, 0);
  if (handle) {  // else it is gone already
    pollfd end{handle.get(), POLLIN, 0};
    EXPECT_EQ(::poll(&end, 1, 20'000), 1) << "still runs";
  }
  ::close(report[0]);
  ::close(report[1]);
}

TEST_F(LifecycleTest, SenselessPlansAreRefused) {
  for (const SamplePlan& plan : {SamplePlan{.fps = 0}, {.fps = -1}, {.fps = std::nan("")}, {.max_frames = 0}})
    EXPECT_EQ(Open(AnyClip(), plan).error().code, ErrorCode::kBadRequest);
}

}  // namespace
}  // namespace unmask
