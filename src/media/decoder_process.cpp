// SPDX-License-Identifier: Apache-2.0
#include "media/decoder_process.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "media/wire/zygote.hpp"

namespace unmask {
namespace {

// posix_spawn's two settings objects, freed in the end.
struct SpawnSettings {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;

  SpawnSettings() {
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawnattr_init(&attributes);
  }
  ~SpawnSettings() {
    ::posix_spawn_file_actions_destroy(&actions);
    ::posix_spawnattr_destroy(&attributes);
  }
  SpawnSettings(const SpawnSettings&) = delete;
  SpawnSettings& operator=(const SpawnSettings&) = delete;
};

struct SocketPair {
  UniqueFd ours;
  UniqueFd theirs;
};

Result<SocketPair> MakeSockets() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
    return Fail(ErrorCode::kInternal,
                fmt::format("cannot create a socket for the decoder: {}", std::strerror(errno)));
  return SocketPair{UniqueFd(ends[0]), UniqueFd(ends[1])};
}

}  // namespace

Result<Zygote> Zygote::Start(const std::filesystem::path& program, const MediaLimits& limits) {
  auto sockets = MakeSockets();
  if (!sockets) return tl::unexpected(sockets.error());
  SpawnSettings settings;
  ::posix_spawn_file_actions_adddup2(&settings.actions, sockets->theirs.get(), 0);
  ::posix_spawn_file_actions_addopen(&settings.actions, 1, "/dev/null", O_WRONLY, 0);
  ::posix_spawn_file_actions_addopen(&settings.actions, 2, "/dev/null", O_WRONLY, 0);
  ::posix_spawn_file_actions_addclosefrom_np(&settings.actions, 3);

  // Default signals, and a process group of its own: an interrupt from the keyboard is the parent's to
  // handle.
  sigset_t all;
  sigset_t none;
  ::sigfillset(&all);
  ::sigemptyset(&none);
  ::posix_spawnattr_setsigdefault(&settings.attributes, &all);
  ::posix_spawnattr_setsigmask(&settings.attributes, &none);
  ::posix_spawnattr_setpgroup(&settings.attributes, 0);
  ::posix_spawnattr_setflags(&settings.attributes,
                             POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);

  std::string name = program.string();
  std::string parent = std::to_string(::getpid());
  std::string memory = std::to_string(limits.decoder_memory);
  std::string cpu = fmt::format("{:.0f}", limits.decoder_cpu);
  char* arguments[] = {name.data(), parent.data(), memory.data(), cpu.data(), nullptr};
  // With TZ set, libc never looks for a time zone file.
  char zone[] = "TZ=UTC0";
  char* environment[] = {zone, nullptr};

  pid_t pid = -1;
  const int error =
      ::posix_spawn(&pid, name.c_str(), &settings.actions, &settings.attributes, arguments, environment);
  if (error != 0)
    return Fail(ErrorCode::kInternal,
                fmt::format("cannot start the decoder {}: {}", name, std::strerror(error)),
                "check that it is installed beside this program");
  return Zygote(DecoderProcess(pid, std::move(sockets->ours)));
}

Result<DecoderProcess> Zygote::Split() {
  auto sockets = MakeSockets();
  if (!sockets) return tl::unexpected(sockets.error());
  const auto failed = [] {
    return Fail(ErrorCode::kInternal, "the decoder program does not start",
                "check that it can run on this machine, and that processes are not limited");
  };
  if (!wire::Send(process_.socket(), wire::SplitRequest{}, sockets->theirs.get())) return failed();
  const wire::Packet packet = wire::Receive(process_.socket(), true);
  wire::SplitAnswer answer;
  if (packet.state != wire::Packet::State::kMessage || packet.size != sizeof answer) return failed();
  std::memcpy(&answer, packet.bytes, sizeof answer);
  if (answer.type != wire::Type::kSplit || answer.pid <= 0) return failed();
  return DecoderProcess(answer.pid, std::move(sockets->ours));
}

DecoderProcess::DecoderProcess(DecoderProcess&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)), socket_(std::move(other.socket_)) {}

DecoderProcess& DecoderProcess::operator=(DecoderProcess&& other) noexcept {
  if (this != &other) {
    End();
    pid_ = std::exchange(other.pid_, -1);
    socket_ = std::move(other.socket_);
  }
  return *this;
}

DecoderProcess::~DecoderProcess() { End(); }

int DecoderProcess::End() {
  int status = 0;
  if (pid_ < 0) return status;
  // The kernel keeps the first cause of death, so this changes nothing for a process that is already ending.
  ::kill(pid_, SIGKILL);
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
  socket_.reset();
  return status;
}

}  // namespace unmask
