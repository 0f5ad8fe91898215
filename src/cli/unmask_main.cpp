// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <malloc.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string_view>

#include "cli/command_line.hpp"
#include "cli/exit_code.hpp"
#include "model/import/confined_keras.hpp"

namespace {

int Run(const unmask::Answer& answer) {
  std::fputs(answer.out.c_str(), stdout);
  std::fputs(answer.err.c_str(), stderr);
  return answer.exit_code;
}
int Run(const unmask::ScanCommand& command) { return unmask::RunScan(command); }
int Run(const unmask::ServeCommand& command) { return unmask::RunServe(command); }
int Run(const unmask::EvaluateCommand& command) { return unmask::RunEvaluate(command); }
int Run(const unmask::DoctorCommand& command) { return unmask::RunDoctor(command); }
int Run(const unmask::ModelCommand& command) { return unmask::RunModel(command); }
int Run(const unmask::FacesCommand& command) { return unmask::RunFaces(command); }
int Run(const unmask::CompatCheckCommand& command) { return unmask::RunCompatCheck(command); }

/// A caller may have closed a standard stream. The next file that is opened would take its place, and results
/// would be written into it: put something there on which reading or writing fails.
void HoldStandardStreams() {
  for (int fd = 0; fd <= 2; ++fd)
    if (::fcntl(fd, F_GETFD) < 0 && errno == EBADF && ::open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY) < 0)
      std::abort();
}

/// Frames come and go at a few megabytes each. By default their memory goes back to the system every time,
/// and fetching it again page by page costs more than the work on it.
void KeepFreedMemory() {
  ::mallopt(M_MMAP_THRESHOLD, 32 << 20);
  ::mallopt(M_TRIM_THRESHOLD, 64 << 20);
  ::mallopt(M_TOP_PAD, 1 << 20);
}

}  // namespace

int main(int argc, char** argv) try {
  HoldStandardStreams();
  KeepFreedMemory();
  if (argc == 3 && std::string_view(argv[1]) == "--convert-model") return unmask::ConvertModel(argv[2]);
  if (argc == 3 && std::string_view(argv[1]) == "--read-keras") return unmask::ReadKerasForParent(argv[2]);
  const auto environment = [](const std::string& name) -> std::optional<std::string> {
    const char* value = std::getenv(name.c_str());
    return value == nullptr ? std::nullopt : std::optional<std::string>(value);
  };
  const unmask::CommandLine line =
      unmask::ParseCommandLine({argv + (argc > 0 ? 1 : 0), argv + argc}, environment);
  unmask::SetLogLevel(line.log_level);
  return std::visit([](const auto& command) { return Run(command); }, line.command);
} catch (const std::exception& error) {
  std::fprintf(stderr, "error: %s\nhint: this is a fault of unmask; please report it with the command line\n",
               error.what());
  return unmask::kSomeFailed;
}
