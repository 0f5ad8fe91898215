// SPDX-License-Identifier: Apache-2.0
//
// decode-probe FILE...: decodes files as unmask does and prints what came out. For tests and measurements;
// needs no model.

#include <cstdio>
#include <string>

#include "base/file.hpp"
#include "base/install.hpp"
#include "media/frame_stream.hpp"

namespace unmask {
namespace {

Result<void> Decode(DecoderPool& pool, const char* path) {
  auto file = OpenForReading(path);
  if (!file) return tl::unexpected(file.error());
  auto stream = FrameStream::Open(pool, std::move(*file), {});
  if (!stream) return tl::unexpected(stream.error());
  for (;;) {
    auto frame = (*stream)->Next();
    if (!frame) return tl::unexpected(frame.error());
    if (!*frame) break;
    std::printf("%s: frame %lld at %.3f\n", path, static_cast<long long>((*frame)->index), (*frame)->time);
  }
  const auto& info = (*stream)->info();
  const auto& summary = (*stream)->summary();
  std::printf("%s: %s %s %d x %d, %lld decoded, %lld sampled, %lld errors%s\n", path, info.container.c_str(),
              info.codec.c_str(), info.width, info.height, static_cast<long long>(summary.frames_decoded),
              static_cast<long long>(summary.frames_sampled), static_cast<long long>(summary.decode_errors),
              summary.truncated ? ", truncated" : "");
  return {};
}

int Run(int count, char** paths) {
  auto pool = DecoderPool::Create(FindInstallPaths().decoder, MediaLimits{}, 0);
  if (!pool) {
    std::fprintf(stderr, "%s\n", pool.error().message.c_str());
    return 1;
  }
  int status = 0;
  for (int i = 0; i < count; ++i) {
    if (const auto decoded = Decode(**pool, paths[i]); !decoded) {
      std::printf("%s: %s: %s\n", paths[i], std::string(CodeName(decoded.error().code)).c_str(),
                  decoded.error().message.c_str());
      status = 3;
    }
  }
  return status;
}

}  // namespace
}  // namespace unmask

int main(int argc, char** argv) { return unmask::Run(argc - 1, argv + 1); }
