// SPDX-License-Identifier: Apache-2.0
#include "render/picture_io.hpp"

#include <algorithm>
#include <vector>

#include <fmt/format.h>
#include <opencv2/imgcodecs.hpp>

namespace unmask {
namespace {

Result<std::string> Encode(const Picture& picture, const char* kind, const std::vector<int>& parameters) {
  const auto expected = static_cast<std::uint64_t>(std::max(picture.width, 0)) *
                        static_cast<std::uint64_t>(std::max(picture.height, 0)) * 3;
  if (expected == 0 || picture.bgr.size() != expected)
    return Fail(ErrorCode::kBadRequest,
                fmt::format("expected a picture with pixels, found {}x{} with {} bytes", picture.width,
                            picture.height, picture.bgr.size()));
  // OpenCV has no view of constant pixels; imencode only reads.
  const cv::Mat view(picture.height, picture.width, CV_8UC3, const_cast<std::uint8_t*>(picture.bgr.data()));
  std::vector<unsigned char> bytes;
  try {
    if (!cv::imencode(kind, view, bytes, parameters))
      return Fail(ErrorCode::kInternal, fmt::format("the encoder of {} gave nothing", kind));
  } catch (const cv::Exception& error) {
    return Fail(ErrorCode::kInternal, fmt::format("cannot encode as {}: {}", kind, error.err));
  }
  return std::string(bytes.begin(), bytes.end());
}

}  // namespace

Result<std::string> EncodeJpeg(const Picture& picture, int quality) {
  return Encode(picture, ".jpg", {cv::IMWRITE_JPEG_QUALITY, std::clamp(quality, 1, 100)});
}

Result<std::string> EncodePng(const Picture& picture) { return Encode(picture, ".png", {}); }

}  // namespace unmask
