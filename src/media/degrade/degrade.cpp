// SPDX-License-Identifier: Apache-2.0
#include "media/degrade/degrade.hpp"

#include <turbojpeg.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <memory>

#include <fmt/format.h>
#include <opencv2/imgproc.hpp>

#include "media/degrade/h264.hpp"

namespace unmask {
namespace {

using Kind = Degradation::Kind;

struct FreeTurbo {
  void operator()(unsigned char* bytes) const { tjFree(bytes); }
  void operator()(void* handle) const { tjDestroy(handle); }
};

/// With the accurate DCT: the pixels are then those that libjpeg, and with it training's OpenCV, gives.
Result<cv::Mat> Jpeg(const cv::Mat& bgr, double quality) {
  const auto failed = [](void* handle) {
    return Fail(ErrorCode::kInternal, fmt::format("a JPEG cannot be made: {}", tjGetErrorStr2(handle)));
  };
  const std::unique_ptr<void, FreeTurbo> encoder(tjInitCompress());
  const std::unique_ptr<void, FreeTurbo> decoder(tjInitDecompress());
  if (!encoder || !decoder) return failed(nullptr);
  unsigned char* data = nullptr;
  unsigned long size = 0;
  const int status = tjCompress2(
      encoder.get(), bgr.data, bgr.cols, static_cast<int>(bgr.step), bgr.rows, TJPF_BGR, &data, &size,
      TJSAMP_420, std::clamp(static_cast<int>(std::lround(quality)), 1, 100), TJFLAG_ACCURATEDCT);
  const std::unique_ptr<unsigned char, FreeTurbo> bytes(data);
  if (status != 0) return failed(encoder.get());
  cv::Mat result(bgr.size(), CV_8UC3);
  if (tjDecompress2(decoder.get(), bytes.get(), size, result.data, result.cols, static_cast<int>(result.step),
                    result.rows, TJPF_BGR, TJFLAG_ACCURATEDCT) != 0)
    return failed(decoder.get());
  return result;
}

cv::Mat Scale(const cv::Mat& bgr, double factor) {
  const cv::Size size(std::max(1, static_cast<int>(bgr.cols * factor)),
                      std::max(1, static_cast<int>(bgr.rows * factor)));
  cv::Mat result;
  cv::resize(bgr, result, size, 0, 0, cv::INTER_AREA);
  return result;
}

cv::Mat Blur(const cv::Mat& bgr, double sigma) {
  cv::Mat result;
  cv::GaussianBlur(bgr, result, {}, sigma, sigma, cv::BORDER_REFLECT_101 | cv::BORDER_ISOLATED);
  return result;
}

cv::Mat Noise(const cv::Mat& bgr, double sigma, std::uint64_t seed) {
  cv::RNG random(seed * 0x9E3779B97F4A7C15U + 1);
  cv::Mat grain(bgr.size(), CV_32FC3);
  random.fill(grain, cv::RNG::NORMAL, 0, sigma);
  cv::Mat result;
  cv::add(bgr, grain, result, {}, CV_8UC3);
  return result;
}

}  // namespace

std::string CodeOf(const Degradation& degradation) {
  switch (degradation.kind) {
    case Kind::kJpeg:
      return fmt::format("jpeg_{}", degradation.amount);
    case Kind::kScale:
      return fmt::format("scale_{}", degradation.amount);
    case Kind::kBlur:
      return fmt::format("blur_{}", degradation.amount);
    case Kind::kNoise:
      return fmt::format("noise_{}", degradation.amount);
    case Kind::kH264:
      return fmt::format("h264_crf_{}", degradation.amount);
  }
  return "unknown";
}

std::string DescribeDegradation(const Degradation& degradation) {
  switch (degradation.kind) {
    case Kind::kJpeg:
      return fmt::format("JPEG, quality {}", degradation.amount);
    case Kind::kScale:
      return fmt::format("scaled to {} of its size", degradation.amount);
    case Kind::kBlur:
      return fmt::format("Gaussian blur, sigma {} pixels", degradation.amount);
    case Kind::kNoise:
      return fmt::format("Gaussian noise, sigma {} of 255", degradation.amount);
    case Kind::kH264:
      return fmt::format("H.264, crf {}", degradation.amount);
  }
  return "unknown";
}

std::span<const Degradation> StandardDegradations() {
  static constexpr std::array kStandard = {
      Degradation{Kind::kJpeg, 90}, Degradation{Kind::kJpeg, 60},   Degradation{Kind::kJpeg, 40},
      Degradation{Kind::kJpeg, 20}, Degradation{Kind::kScale, 0.5}, Degradation{Kind::kScale, 0.25},
      Degradation{Kind::kBlur, 2},  Degradation{Kind::kNoise, 10},  Degradation{Kind::kH264, 23},
      Degradation{Kind::kH264, 32}, Degradation{Kind::kH264, 40}};
  return kStandard;
}

Result<cv::Mat> Degrade(const cv::Mat& bgr, const Degradation& degradation, std::uint64_t seed) try {
  if (bgr.empty() || bgr.type() != CV_8UC3)
    return Fail(ErrorCode::kBadRequest, "expected a picture of three 8-bit channels");
  switch (degradation.kind) {
    case Kind::kJpeg:
      return Jpeg(bgr, degradation.amount);
    case Kind::kScale:
      return Scale(bgr, degradation.amount);
    case Kind::kBlur:
      return Blur(bgr, degradation.amount);
    case Kind::kNoise:
      return Noise(bgr, degradation.amount, seed);
    case Kind::kH264:
      return ReencodeH264(bgr, static_cast<int>(std::lround(degradation.amount)));
  }
  return Fail(ErrorCode::kBadRequest, "unknown degradation");
} catch (const cv::Exception& error) {
  return Fail(ErrorCode::kInternal, fmt::format("a picture cannot be degraded: {}", error.err));
}

}  // namespace unmask
