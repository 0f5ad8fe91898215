// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <opencv2/core.hpp>

#include "base/file.hpp"
#include "base/id.hpp"
#include "media/frame_stream.hpp"

namespace unmask {

/// For tests: a folder for media made with the ffmpeg program, and a pool of real decoders.
class MediaTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = std::filesystem::path(testing::TempDir()) / ("unmask-media-" + NewTraceId());
    std::filesystem::create_directory(folder_);
  }
  static void TearDownTestSuite() { std::filesystem::remove_all(folder_); }

  void SetUp() override { pool_ = MakePool({}); }

  static std::unique_ptr<DecoderPool> MakePool(MediaLimits limits, int spare = 1) {
    return DecoderPool::Create(std::filesystem::path(UNMASK_BUILD_DIR) / "unmask-decoder", limits, spare)
        .value();
  }

  static std::filesystem::path Portrait() {
    return std::filesystem::path(UNMASK_SOURCE_DIR) / "third_party/test_media/astronaut.png";
  }

  /// Runs ffmpeg; the words IN and OUT stand for the portrait and the file to make. Made once for each name.
  static std::filesystem::path Make(const std::string& name, const std::string& arguments) {
    return MakeWith("ffmpeg -nostdin -v error -y", name, arguments);
  }

  /// The same with another program.
  static std::filesystem::path MakeWith(const std::string& program, const std::string& name,
                                        std::string arguments) {
    const auto path = folder_ / name;
    if (std::filesystem::exists(path)) return path;
    Replace(arguments, "IN", Portrait().string());
    Replace(arguments, "OUT", path.string());
    const int status = std::system((program + " " + arguments + " >/dev/null 2>&1").c_str());
    EXPECT_EQ(status, 0) << program << " " << arguments;
    return path;
  }

  /// A moving clip of the portrait at 25 frames a second with a different picture in each.
  static std::filesystem::path Clip(const std::string& name, const std::string& encoder, double seconds = 2,
                                    const std::string& size = "160x120") {
    return Make(name,
                fmt::format("-loop 1 -framerate 25 -i IN -t {} -vf \"zoompan=z=1.3:x='4*on':y='40+2*on':d=1:"
                            "s={}:fps=25,format=yuv420p\" {} OUT",
                            seconds, size, encoder));
  }

  static std::filesystem::path Write(const std::string& name, const std::string& bytes) {
    std::ofstream(folder_ / name, std::ios::binary) << bytes;
    return folder_ / name;
  }

  static std::string BytesOf(const std::filesystem::path& path) { return ReadSmallFile(path).value(); }

  Result<std::unique_ptr<FrameStream>> Open(const std::filesystem::path& path, const SamplePlan& plan = {},
                                            std::stop_token stop = {}) {
    auto file = OpenForReading(path);
    if (!file) return tl::unexpected(file.error());
    return FrameStream::Open(*pool_, std::move(*file), plan, std::move(stop));
  }

  /// The error that opening or reading the file gives; a code of kInternal and no message when there is none.
  Error ErrorOf(const std::filesystem::path& path) {
    auto stream = Open(path);
    if (!stream) return stream.error();
    for (;;) {
      auto frame = (*stream)->Next();
      if (!frame) return frame.error();
      if (!*frame) return {};
    }
  }

  struct Decoded {
    MediaInfo info;
    DecodeSummary summary;
    std::vector<Frame> frames;  ///< with pixels of their own
  };

  /// The whole file; a test failure when there is an error.
  Decoded Decode(const std::filesystem::path& path, const SamplePlan& plan = {}) {
    Decoded decoded;
    auto stream = Open(path, plan);
    if (!stream) {
      ADD_FAILURE() << path << ": " << stream.error().message;
      return decoded;
    }
    decoded.info = (*stream)->info();
    double progress = 0;
    for (;;) {
      auto frame = (*stream)->Next();
      if (!frame) ADD_FAILURE() << path << ": " << frame.error().message;
      if (!frame || !*frame) break;
      EXPECT_GE((*stream)->progress(), progress);
      progress = (*stream)->progress();
      Frame& copy = decoded.frames.emplace_back(**frame);
      copy.bgr = copy.bgr.clone();
      copy.lease.reset();
    }
    decoded.summary = (*stream)->summary();
    EXPECT_EQ(decoded.summary.frames_sampled, static_cast<std::int64_t>(decoded.frames.size()));
    return decoded;
  }

  /// All frames as the ffmpeg program decodes them, in BGR.
  static std::vector<cv::Mat> Reference(const std::filesystem::path& path, int width, int height,
                                        const std::string& options = "-sws_flags bicubic") {
    const auto raw = folder_ / (path.filename().string() + ".bgr");
    const auto command =
        fmt::format("ffmpeg -nostdin -v error -y -i {} -vsync passthrough {} -f rawvideo -pix_fmt bgr24 {}",
                    path.string(), options, raw.string());
    EXPECT_EQ(std::system(command.c_str()), 0) << command;
    const std::string bytes = ReadSmallFile(raw, std::uint64_t{1} << 30).value();
    std::filesystem::remove(raw);
    const std::size_t size = static_cast<std::size_t>(width) * static_cast<std::size_t>(height) * 3;
    std::vector<cv::Mat> frames;
    for (std::size_t at = 0; at + size <= bytes.size(); at += size)
      frames.push_back(cv::Mat(height, width, CV_8UC3, const_cast<char*>(bytes.data()) + at).clone());
    return frames;
  }

  static double MeanDifference(const cv::Mat& a, const cv::Mat& b) {
    if (a.size() != b.size()) return 999;
    return cv::norm(a, b, cv::NORM_L1) / static_cast<double>(a.total() * 3);
  }

  static bool Same(const cv::Mat& a, const cv::Mat& b) { return MeanDifference(a, b) == 0; }

  static inline std::filesystem::path folder_;
  std::unique_ptr<DecoderPool> pool_;

 private:
  static void Replace(std::string& text, const std::string& word, const std::string& by) {
    for (std::size_t at = text.find(word + " "); at != std::string::npos;
         at = text.find(word + " ", at + by.size()))
      text.replace(at, word.size(), by);
    if (text.ends_with(word)) text.replace(text.size() - word.size(), word.size(), by);
  }
};

}  // namespace unmask
