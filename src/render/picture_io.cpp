// SPDX-License-Identifier: Apache-2.0
#include "render/picture_io.hpp"

#include <png.h>
#include <turbojpeg.h>

#include <algorithm>
#include <memory>

#include <fmt/format.h>

namespace unmask {
namespace {

Result<void> Check(const Picture& picture) {
  if (HasPixels(picture)) return {};
  return Fail(ErrorCode::kBadRequest, fmt::format("expected a picture with pixels, found {}x{} with {} bytes",
                                                  picture.width, picture.height, picture.bgr.size()));
}

struct TurboFree {
  void operator()(unsigned char* bytes) const { tjFree(bytes); }
};

struct TurboDestroy {
  void operator()(void* handle) const { tjDestroy(handle); }
};

}  // namespace

bool HasPixels(const Picture& picture) {
  const auto expected = static_cast<std::uint64_t>(std::max(picture.width, 0)) *
                        static_cast<std::uint64_t>(std::max(picture.height, 0)) * 3;
  return expected > 0 && picture.bgr.size() == expected;
}

Result<std::string> EncodeJpeg(const Picture& picture, int quality, Chroma chroma) {
  if (auto checked = Check(picture); !checked) return tl::unexpected(checked.error());
  const std::unique_ptr<void, TurboDestroy> encoder(tjInitCompress());
  if (!encoder) return Fail(ErrorCode::kInternal, fmt::format("cannot encode a JPEG: {}", tjGetErrorStr()));
  unsigned char* data = nullptr;
  unsigned long size = 0;
  const int failed =
      tjCompress2(encoder.get(), picture.bgr.data(), picture.width, 0, picture.height, TJPF_BGR, &data, &size,
                  chroma == Chroma::kFull ? TJSAMP_444 : TJSAMP_420, std::clamp(quality, 1, 100), 0);
  const std::unique_ptr<unsigned char, TurboFree> bytes(data);
  if (failed != 0)
    return Fail(ErrorCode::kInternal, fmt::format("cannot encode a JPEG of {}x{}: {}", picture.width,
                                                  picture.height, tjGetErrorStr2(encoder.get())));
  return std::string(bytes.get(), bytes.get() + size);
}

Result<std::string> EncodePng(const Picture& picture) {
  if (auto checked = Check(picture); !checked) return tl::unexpected(checked.error());
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  image.width = static_cast<png_uint_32>(picture.width);
  image.height = static_cast<png_uint_32>(picture.height);
  image.format = PNG_FORMAT_BGR;
  png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(image);
  std::string bytes(size, '\0');
  if (png_image_write_to_memory(&image, bytes.data(), &size, 0, picture.bgr.data(), 0, nullptr) == 0)
    return Fail(ErrorCode::kInternal, fmt::format("cannot encode a PNG of {}x{}: {}", picture.width,
                                                  picture.height, std::string(image.message)));
  bytes.resize(size);
  return bytes;
}

}  // namespace unmask
