// SPDX-License-Identifier: Apache-2.0
#include "media/degrade/h264.hpp"

#include <dlfcn.h>

#include <fmt/format.h>

#include "base/install.hpp"
#include "media/degrade/h264/module.hpp"

namespace unmask {
namespace {

/// Loaded once and never unloaded: libav keeps threads and tables of its own.
Result<H264Module*> Load() {
  const std::filesystem::path path = FindInstallPaths().decoder.parent_path() / kH264ModuleFile;
  const auto fail = [](const char* reason) {
    return Fail(ErrorCode::kInternal,
                fmt::format("the H.264 module cannot be loaded: {}", reason == nullptr ? "unknown" : reason),
                "build or install unmask-h264.so beside unmask-decoder");
  };
  void* library = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) return fail(::dlerror());
  const auto get = reinterpret_cast<GetH264Module>(::dlsym(library, kH264ModuleSymbol));
  if (get == nullptr) return fail(::dlerror());
  return get();
}

const Result<H264Module*>& Module() {
  static const Result<H264Module*> module = Load();
  return module;
}

}  // namespace

Result<cv::Mat> ReencodeH264(const cv::Mat& bgr, int crf) {
  const auto& module = Module();
  if (!module) return tl::unexpected(module.error());
  return (*module)->Reencode(bgr, crf);
}

Result<std::unique_ptr<LosslessClip>> WriteLosslessClip(const std::filesystem::path& file) {
  const auto& module = Module();
  if (!module) return tl::unexpected(module.error());
  return (*module)->WriteClip(file);
}

}  // namespace unmask
