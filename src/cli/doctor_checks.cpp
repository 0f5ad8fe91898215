// SPDX-License-Identifier: Apache-2.0
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cmath>
#include <filesystem>

#include <fmt/format.h>

#include "analysis/config.hpp"
#include "base/file.hpp"
#include "base/thread_pool.hpp"
#include "base/version.hpp"
#include "cli/doctor.hpp"
#include "face/detectors.hpp"
#include "media/frame_stream.hpp"
#include "model/repository.hpp"
#include "model/scorer.hpp"
#include "render/picture_io.hpp"
#include "render/text.hpp"

namespace unmask {
namespace {

namespace fs = std::filesystem;

Check Ok(std::string name, std::string found) {
  return {std::move(name), CheckState::kOk, std::move(found), ""};
}

Check Warning(std::string name, std::string found, std::string advice) {
  return {std::move(name), CheckState::kWarning, std::move(found), std::move(advice)};
}

Check Failure(std::string name, const Error& error, std::string advice) {
  if (!error.hint.empty()) advice = error.hint;
  return {std::move(name), CheckState::kFail, error.message, std::move(advice)};
}

Check CheckProcessor() {
  const int cores = ThreadsFor(0);
  std::string features;
#if defined(__x86_64__)
  const auto add = [&](bool has, const char* name) {
    if (has) features += fmt::format("{}{}", features.empty() ? "" : " ", name);
  };
  __builtin_cpu_init();
  add(__builtin_cpu_supports("sse4.2"), "SSE4.2");
  add(__builtin_cpu_supports("avx2"), "AVX2");
  add(__builtin_cpu_supports("avx512f"), "AVX-512");
  add(__builtin_cpu_supports("avx512vnni"), "VNNI");
  if (!__builtin_cpu_supports("sse4.2"))
    return {"processor", CheckState::kFail, "without SSE4.2", "OpenVINO needs a processor with SSE4.2"};
  if (!__builtin_cpu_supports("avx2"))
    return Warning("processor", fmt::format("{} cores, {}", cores, features),
                   "works, but a processor with AVX2 is several times faster");
#endif
  return Ok("processor", fmt::format("{} cores, {}", cores, features));
}

Check CheckModel(const AnalyzerConfig& config) {
  const auto card = ModelRepository(config.models).Find(config.model);
  if (!card)
    return Failure("model", card.error(),
                   "name the repository with --models, or fetch the models/ folder again");
  if (const auto verified = ModelRepository::Verify(*card); !verified)
    return Failure("model", verified.error(), "fetch the models/ folder again");
  if (!card->calibration.fitted)
    return Warning("model", fmt::format("{}:{} is not calibrated", card->name, card->version),
                   "its scores are no probabilities; use another model for verdicts");
  return Ok("model",
            fmt::format("{}:{}, {} files as the card says", card->name, card->version, card->files.size()));
}

Check CheckEngine(const AnalyzerConfig& config) {
  const auto card = ModelRepository(config.models).Find(config.model);
  if (!card) return Warning("engine", "not tried: there is no model", "see the line 'model'");
  const auto scorer = Scorer::Load(*card, {.device = config.device, .threads = config.threads});
  if (!scorer) return Failure("engine", scorer.error(), "try --device CPU, or run tools/setup.sh again");
  const ModelInput& input = (*scorer)->member(0).input;
  const cv::Mat gray(input.height, input.width, CV_8UC3, cv::Scalar::all(128));
  const PreparedFace prepared = (*scorer)->Prepare(gray);
  const auto scores = (*scorer)->Start({&prepared, 1}).get();
  if (!scores) return Failure("engine", scores.error(), "try --device CPU");
  if (scores->size() != 1 || !std::isfinite(scores->front().logit))
    return {"engine", CheckState::kFail, "the network gave no number", "try --device CPU"};
  return Ok("engine", fmt::format("OpenVINO {} on {}", EngineVersion(), config.device));
}

Check CheckDetectors(const AnalyzerConfig& config) {
  const auto detector =
      MakeFaceDetector({.folder = config.detectors, .yunet = config.yunet, .threads = config.threads});
  if (!detector)
    return Failure("detectors", detector.error(), "run tools/setup.sh again, or name --detectors");
  if ((*detector)->name() == "haar")
    return Warning("detectors", "Haar's cascade only",
                   "run tools/setup.sh again for BlazeFace, which finds more faces");
  return Ok("detectors", (*detector)->name());
}

/// A still with known colours, so that a decoder that gives something else is found out.
Result<std::string> TestStill() {
  Picture picture{.width = 16, .height = 8, .bgr = {}};
  for (int i = 0; i < 16 * 8; ++i) picture.bgr.insert(picture.bgr.end(), {200, 100, 50});
  return EncodePng(picture);
}

Result<std::string> TryDecoder(const AnalyzerConfig& config) {
  auto pool = DecoderPool::Create(config.decoder, MediaLimits{.decoder_wall = 30}, 0);
  if (!pool) return tl::unexpected(pool.error());
  const auto still = TestStill();
  if (!still) return tl::unexpected(still.error());
  auto file = PrivateFile::Create(fs::temp_directory_path());
  if (!file) return tl::unexpected(file.error());
  if (auto written = file->Append(*still); !written) return tl::unexpected(written.error());
  auto opened = OpenForReading(file->path());
  if (!opened) return tl::unexpected(opened.error());
  auto stream = FrameStream::Open(**pool, std::move(*opened), {});
  if (!stream) return tl::unexpected(stream.error());
  const auto frame = (*stream)->Next();
  if (!frame) return tl::unexpected(frame.error());
  if (!*frame || (*frame)->bgr.cols != 16 || (*frame)->bgr.rows != 8 ||
      (*frame)->bgr.at<cv::Vec3b>(4, 8) != cv::Vec3b(200, 100, 50))
    return Fail(ErrorCode::kInternal, "the decoder gave another picture than it was given");
  return (*stream)->summary().decoder_version;
}

Check CheckDecoder(const AnalyzerConfig& config) {
  std::error_code ignored;
  if (!fs::exists(config.decoder, ignored))
    return {"decoder", CheckState::kFail, fmt::format("no such program: {}", config.decoder.string()),
            "build it (make), or name it with --decoder"};
  const auto version = TryDecoder(config);
  if (!version)
    return Failure("decoder", version.error(), "run it alone under strace to see what this machine forbids");
  return Ok("decoder", version->empty() ? "decoded a picture"
                                        : fmt::format("decoded a picture, libavcodec {}", *version));
}

std::string FirstLine(const char* path) {
  const auto content = ReadSmallFile(path, 4096);
  return content ? content->substr(0, content->find('\n')) : "";
}

Check CheckSeccomp() {
  if (::prctl(PR_GET_SECCOMP) < 0)
    return {"seccomp", CheckState::kFail, "this kernel has no seccomp",
            "use a kernel with CONFIG_SECCOMP_FILTER: the decoder does not run without"};
  return Ok("seccomp", "the kernel can filter system calls");
}

Check CheckLandlock() {
#if defined(SYS_landlock_create_ruleset)
  constexpr unsigned kVersionQuestion = 1;  // LANDLOCK_CREATE_RULESET_VERSION
  const long version = ::syscall(SYS_landlock_create_ruleset, nullptr, 0, kVersionQuestion);
  if (version > 0) return Ok("landlock", fmt::format("version {}", version));
#endif
  return Warning("landlock", "not in this kernel", "no harm: seccomp already keeps the decoder from files");
}

Check CheckNamespaces() {
  const std::string most = FirstLine("/proc/sys/user/max_user_namespaces");
  const std::string unprivileged = FirstLine("/proc/sys/kernel/unprivileged_userns_clone");
  if (most.empty() || most == "0" || unprivileged == "0")
    return Warning("namespaces", "user namespaces are switched off",
                   "no harm: seccomp already keeps the decoder from files and the network");
  return Ok("namespaces", "user namespaces are allowed");
}

Check CheckTemporarySpace() {
  constexpr std::uintmax_t kLittle = std::uintmax_t{4} << 30;  // two uploads of the greatest size
  std::error_code error;
  const fs::path folder = fs::temp_directory_path(error);
  if (error)
    return {"disk", CheckState::kFail, "no folder for temporary files", "set TMPDIR to a writable folder"};
  if (const auto file = PrivateFile::Create(folder); !file)
    return Failure("disk", file.error(), "set TMPDIR");
  const fs::space_info space = fs::space(folder, error);
  const std::string found = fmt::format("{} free in {}", FormatBytes(space.available), folder.string());
  if (error || space.available < kLittle)
    return Warning("disk", found, "uploads need space: free some, set TMPDIR, or lower --max-upload");
  return Ok("disk", found);
}

}  // namespace

std::vector<Check> CheckMachine(const AnalyzerConfig& given) {
  const AnalyzerConfig config = WithDefaults(given);
  return {Ok("version", std::string(Version())),
          CheckProcessor(),
          CheckModel(config),
          CheckEngine(config),
          CheckDetectors(config),
          CheckDecoder(config),
          CheckSeccomp(),
          CheckLandlock(),
          CheckNamespaces(),
          CheckTemporarySpace()};
}

}  // namespace unmask
