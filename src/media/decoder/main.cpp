// SPDX-License-Identifier: Apache-2.0
//
// unmask-decoder: turns one hostile media file into plain pixels, and ends. DecoderPool starts it once, with
// a socket as its standard input, and has it split off a process for each file.

#include <sys/prctl.h>
#include <unistd.h>

#include <charconv>
#include <csignal>
#include <cstring>
#include <new>

#include "media/decoder/media_file.hpp"
#include "media/decoder/output.hpp"
#include "media/decoder/prime.hpp"
#include "media/decoder/sandbox.hpp"
#include "media/decoder/sniff.hpp"
#include "media/decoder/still.hpp"
#include "media/decoder/video.hpp"
#include "media/wire/zygote.hpp"

namespace unmask::decoder {
namespace {

constexpr int kControlSocket = 0;

std::uint64_t Number(const char* text) {
  std::uint64_t value = 0;
  std::from_chars(text, text + std::strlen(text), value);
  return value;
}

void Decode(Output& output) {
  UniqueFd fd;
  const wire::Job job = output.TakeJob(fd);
  MediaFile file(std::move(fd), job.bytes);
  const Sniffed sniffed = file.Sniff();
  if (sniffed.kind == Kind::kUnknown)
    throw GiveUp{wire::FailureReason::kUnknownKind, std::string(sniffed.hint)};
  if (IsStill(sniffed.kind))
    DecodeStill(file, sniffed.kind, job, output);
  else
    DecodeVideo(file, sniffed.kind, job, output);
}

int Run(pid_t parent, const SandboxLimits& limits) {
  Prime();
  wire::ServeSplits(kControlSocket, parent);
  Output output(kControlSocket);
  if (const auto refused = EnterSandbox(limits)) {
    output.Fail(wire::FailureReason::kNoSandbox, *refused, 0);
    return 1;
  }
  try {
    Decode(output);
  } catch (const GiveUp& reason) {
    output.Fail(reason.reason, reason.detail, reason.found);
  } catch (const std::bad_alloc&) {
    output.Fail(wire::FailureReason::kOutOfMemory, {}, 0);
  }
  return 0;
}

}  // namespace
}  // namespace unmask::decoder

int main(int argc, char** argv) {
  using namespace unmask::decoder;
  if (argc != 4) {
    constexpr char usage[] = "unmask-decoder is started by unmask; it does nothing by itself\n";
    return ::write(2, usage, sizeof usage - 1) < 0 ? 1 : 2;
  }
  // No destructors and no exit handlers: there is nothing to save, and less to run on an attacker's heap.
  ::_exit(Run(static_cast<pid_t>(Number(argv[1])), {.memory = Number(argv[2]), .cpu = Number(argv[3])}));
}
