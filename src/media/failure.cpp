// SPDX-License-Identifier: Apache-2.0
#include "media/failure.hpp"

#include <sys/wait.h>

#include <csignal>
#include <cstring>

#include <fmt/format.h>

namespace unmask {
namespace {

constexpr const char* kConvertHint = "convert it first, e.g. ffmpeg -i IN -c:v libx264 -crf 18 OUT.mp4";
constexpr const char* kSaveHint = "save it as JPEG or PNG first";

const char* HintForKind(const std::string& kind) {
  if (kind == "tiff" || kind == "jxl" || kind == "jpeg2000") return kSaveHint;
  if (kind == "text" || kind == "pdf" || kind == "zip") return "name a picture or a video";
  return kConvertHint;
}

Error Make(ErrorCode code, std::string message, std::string hint = {}, std::string limit = {}) {
  return Error{code, std::move(message), std::move(hint), std::move(limit)};
}

}  // namespace

Error DescribeFailure(const wire::Failure& failure, const MediaLimits& limits) {
  using wire::FailureReason;
  const std::string detail = wire::Text(failure.detail);
  switch (failure.reason) {
    case FailureReason::kUnknownKind:
      return Make(
          ErrorCode::kUnsupportedMedia,
          fmt::format(
              "{} is not accepted (accepted: jpeg, png, webp, gif, bmp, heif, avif pictures; mp4, mov, "
              "matroska, webm, avi videos)",
              detail.empty() ? "this kind of file" : fmt::format("a file of kind '{}'", detail)),
          HintForKind(detail));
    case FailureReason::kUnknownCodec:
      return Make(
          ErrorCode::kUnsupportedMedia,
          fmt::format("video codec '{}' is not accepted (accepted: h264, hevc, vp8, vp9, av1, mpeg4, mjpeg)",
                      detail),
          kConvertHint);
    case FailureReason::kNoIndex:
      return Make(ErrorCode::kUndecodable, "ends before its index (truncated?)", "copy or download it again");
    case FailureReason::kBrokenContainer:
      return Make(ErrorCode::kUndecodable,
                  fmt::format("is not a valid {} file", detail.empty() ? "media" : detail),
                  "copy or download it again");
    case FailureReason::kNoVideoStream:
      return Make(ErrorCode::kUndecodable, "has no video stream", "only pictures and videos can be analysed");
    case FailureReason::kNothingDecoded:
      return Make(ErrorCode::kUndecodable, "no video frame could be decoded", "copy or download it again");
    case FailureReason::kBrokenStill:
      return Make(ErrorCode::kUndecodable, fmt::format("is not a valid {} picture", detail),
                  "copy or download it again");
    case FailureReason::kUnknownStill:
      return Make(
          ErrorCode::kUnsupportedMedia,
          fmt::format("picture codec '{}' is not accepted in this container (accepted: hevc, av1)", detail),
          kSaveHint);
    case FailureReason::kTooManyPixels:
      return Make(ErrorCode::kLimitExceeded,
                  fmt::format("a frame has {} pixels, the limit is {}", failure.found, limits.max_pixels),
                  "make it smaller first", "max_pixels");
    case FailureReason::kSideTooLong:
      return Make(
          ErrorCode::kLimitExceeded,
          fmt::format("a frame's longer side has {} pixels, the limit is {}", failure.found, limits.max_side),
          "make it smaller first", "max_side");
    case FailureReason::kTooManyStreams:
      return Make(ErrorCode::kLimitExceeded, fmt::format("has more than {} streams", limits.max_streams),
                  "keep only its video stream, e.g. ffmpeg -i IN -map 0:v:0 -c copy OUT.mp4", "max_streams");
    case FailureReason::kTooLong:
      return Make(ErrorCode::kLimitExceeded,
                  fmt::format("lasts {} seconds, the limit is {:.0f}", failure.found, limits.max_duration),
                  "cut it into shorter pieces", "max_duration");
    case FailureReason::kOutOfMemory:
      return Make(ErrorCode::kLimitExceeded,
                  fmt::format("decoding needs more than {} MB of memory", limits.decoder_memory >> 20),
                  "make its frames smaller first", "decoder_memory");
    case FailureReason::kUnreadable:
      return Make(ErrorCode::kUnreadable, "cannot be read while it is decoded", "check the disk");
    case FailureReason::kNoSandbox:
      return Make(ErrorCode::kInternal,
                  fmt::format("the decoder's sandbox cannot be set up: {} was refused", detail),
                  "allow seccomp filters for this program");
    case FailureReason::kProtocol:
      break;
  }
  return Make(ErrorCode::kDecoderCrashed, "the decoder answered nonsense");
}

Error DescribeDeath(int wait_status, const MediaLimits& limits) {
  if (WIFSIGNALED(wait_status)) {
    const int signal = WTERMSIG(wait_status);
    if (signal == SIGXCPU)
      return Make(ErrorCode::kDecoderTimeout,
                  fmt::format("decoding takes more than {:.0f} seconds of CPU time", limits.decoder_cpu),
                  "cut it into shorter pieces");
    if (signal == SIGSYS)
      return Make(ErrorCode::kDecoderCrashed,
                  "the decoder tried an operation that its sandbox refuses, and was ended",
                  "treat this file with care: it may attack media software");
    if (signal == SIGKILL)
      return Make(ErrorCode::kDecoderCrashed, "the decoder was killed",
                  "perhaps this machine ran out of memory: see its system log");
    const char* name = ::sigabbrev_np(signal);
    return Make(ErrorCode::kDecoderCrashed,
                fmt::format("the decoder crashed on this file (SIG{})", name ? name : "?"),
                "the file is probably broken; nothing else was affected");
  }
  return Make(ErrorCode::kDecoderCrashed,
              fmt::format("the decoder ended early with status {}",
                          WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : -1));
}

}  // namespace unmask
