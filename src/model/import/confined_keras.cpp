// SPDX-License-Identifier: Apache-2.0
#include "model/import/confined_keras.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <string>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <openvino/pass/serialize.hpp>
#include <openvino/runtime/core.hpp>

#include "base/fd.hpp"
#include "base/file.hpp"
#include "base/install.hpp"
#include "model/import/confine.hpp"
#include "model/keras/keras_model.hpp"
#include "model/trial.hpp"

namespace unmask {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

// Where the other process finds what it writes to.
constexpr int kNetworkFd = 3, kWeightsFd = 4, kErrorFd = 5;
constexpr rlim_t kMostWeights = rlim_t{4} << 30;  // what the process may write; EfficientNet-B7 has 256 MB
constexpr std::uint64_t kMostNetwork = 64 << 20;  // IR of thousands of layers has some megabytes
constexpr std::uint64_t kMostWords = 1 << 20;
constexpr const char* kDamaged =
    "the file is damaged or hostile, or memory is full; save it again where it was made, or convert it there "
    "with model.export(\"folder\")";

/// A file in memory that goes with this object.
UniqueFd MemoryFile() { return UniqueFd(::memfd_create("unmask-network", MFD_CLOEXEC)); }

std::string PathOf(int fd) { return fmt::format("/proc/self/fd/{}", fd); }

/// What the other process left in one file.
Result<MappedFile> Left(const UniqueFd& file, std::uint64_t limit) {
  auto content = MappedFile::Open(PathOf(file.get()));
  if (content && content->bytes().size() > limit)
    return Fail(ErrorCode::kTooLarge,
                fmt::format("its reader left {} bytes (at most {})", content->bytes().size(), limit));
  return content;
}

/// A network without weights leaves no bytes of them.
ov::Tensor WeightsIn(const UniqueFd& file) {
  const auto content = Left(file, kMostWeights);
  if (!content) return {};
  ov::Tensor weights(ov::element::u8, {content->bytes().size()});
  std::memcpy(weights.data(), content->bytes().data(), content->bytes().size());
  return weights;
}

Error ErrorOf(const TrialResult& ended, const UniqueFd& words) {
  if (const auto text = Left(words, kMostWords)) {
    const json error = json::parse(text->bytes(), nullptr, /*allow_exceptions=*/false);
    if (error.is_object() && error.contains("message") && error["message"].is_string())
      return {ErrorCode::kBadRequest, error["message"].get<std::string>(),
              error.contains("hint") && error["hint"].is_string() ? error["hint"].get<std::string>() : "",
              ""};
  }
  return {ErrorCode::kBadRequest,
          fmt::format("the process of its own that read it ended with {}", ended.ending), kDamaged, ""};
}

/// A stream into an inherited file in memory; opened while files may be.
std::ofstream Stream(int fd) { return std::ofstream(PathOf(fd), std::ios::binary); }

bool OwnsItsFiles() {
  for (const int fd : {kNetworkFd, kWeightsFd, kErrorFd})
    if (::fcntl(fd, F_GETFD) < 0) return false;
  return true;
}

Result<void> Read(const fs::path& file, std::ofstream& network, std::ofstream& weights) {
  if (const auto refused = ConfineConverter())
    return Fail(ErrorCode::kInternal,
                fmt::format("the system does not let the reader be confined ({})", *refused),
                "the kernel needs seccomp, and a container must allow it");
  const auto model = ReadKerasModel(file);
  if (!model) return tl::unexpected(model.error());
  ov::pass::Serialize(network, weights).run_on_model(*model);
  network.close();
  weights.close();
  if (!network || !weights)
    return Fail(ErrorCode::kInternal, "its network cannot be handed over", "free some memory");
  ov::Core().compile_model(*model, "CPU");  // here it costs the server nothing if it never ends
  return {};
}

}  // namespace

Result<std::shared_ptr<ov::Model>> ReadKerasConfined(const fs::path& file, const ConfinedReading& reading) {
  const UniqueFd network = MemoryFile(), weights = MemoryFile(), words = MemoryFile();
  if (!network || !weights || !words)
    return Fail(ErrorCode::kInternal, fmt::format("no file in memory: {}", std::strerror(errno)));
  const fs::path program =
      reading.program.empty() ? FindInstallPaths().program_folder / "unmask" : reading.program;
  const auto ended = RunTrial(program, {"--read-keras", file.string()}, reading.timeout, reading.stop,
                              {network.get(), weights.get(), words.get()});
  if (!ended) return tl::unexpected(ended.error());
  if (!ended->ok) return tl::unexpected(ErrorOf(*ended, words));
  const auto text = Left(network, kMostNetwork);
  if (!text) return Fail(ErrorCode::kBadRequest, "its reader left no network", kDamaged);
  try {
    return ov::Core().read_model(std::string(text->bytes()), WeightsIn(weights));
  } catch (const std::exception& e) {
    return Fail(ErrorCode::kBadRequest, fmt::format("its reader left no network: {}", e.what()), kDamaged);
  }
}

int ReadKerasForParent(const fs::path& file) {
  if (!OwnsItsFiles()) return 2;
  ::close_range(kErrorFd + 1, ~0U, 0);  // sockets of the server, say
  LimitThisTrial();
  const rlimit written{kMostWeights, kMostWeights};
  ::setrlimit(RLIMIT_FSIZE, &written);
  std::ofstream network = Stream(kNetworkFd), weights = Stream(kWeightsFd), words = Stream(kErrorFd);
  Error why;
  try {
    const auto read = Read(file, network, weights);
    if (read) return 0;
    why = read.error();
  } catch (const std::exception& e) {
    why = {ErrorCode::kBadRequest, fmt::format("its network cannot be compiled: {}", e.what()), "", ""};
  }
  const json error = {{"message", why.message.substr(0, 2000)}, {"hint", why.hint}};
  words << error.dump(-1, ' ', false, json::error_handler_t::replace) << std::flush;
  return words ? 1 : 2;
}

}  // namespace unmask
