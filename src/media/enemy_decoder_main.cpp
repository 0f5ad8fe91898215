// SPDX-License-Identifier: Apache-2.0
//
// Stands in for an unmask-decoder that an attacker has taken over: does to its parent what the media file
// says. For tests alone.

#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <string>

#include "media/wire/zygote.hpp"

namespace unmask::wire {
namespace {

constexpr int kSocket = 0;

Announce Video(int width = 64, int height = 48) {
  Announce announce{.video = 1, .width = width, .height = height, .duration = 10, .fps = 25, .frames = 250};
  SetText(announce.container, "mp4");
  SetText(announce.codec, "h264");
  return announce;
}

void Give(std::uint32_t slot, std::int64_t index, double time) {
  Send(kSocket, FrameReady{.slot = slot, .index = index, .time = time, .progress = time / 10});
}

// Gives a good frame, then whatever the deed is.
template <typename Deed>
void AfterAFrame(Deed deed) {
  Send(kSocket, Video());
  Receive(kSocket, true);
  Give(0, 0, 0);
  deed();
}

void Wait() {
  for (;;) ::pause();
}

void Do(const std::string& deed) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  if (deed == "exit") return;
  if (deed == "segv") {
    std::signal(SIGSEGV, SIG_DFL);  // sanitizers have handlers of their own
    ::raise(SIGSEGV);
  }
  if (deed == "sigsys") ::raise(SIGSYS);
  if (deed == "kill itself") ::raise(SIGKILL);
  if (deed == "spin") {
    const rlimit second{1, 5};
    ::setrlimit(RLIMIT_CPU, &second);
    for (volatile bool forever = true; forever;) {
    }
  }
  if (deed == "hang") Wait();
  if (deed == "hang after hanging up") {
    ::close(kSocket);
    Wait();
  }
  if (deed == "garbage") {
    const std::byte garbage[100]{};
    SendBytes(kSocket, garbage, -1, true);
  }
  if (deed == "flood") {
    std::byte flood[4096];
    std::memset(flood, 5, sizeof flood);
    while (SendBytes(kSocket, flood, -1, true)) {
    }
  }
  if (deed == "descriptor") Send(kSocket, Video(), 0);
  if (deed == "huge") Send(kSocket, Video(60000, 60000));
  if (deed == "negative") Send(kSocket, Video(-1, -1));
  if (deed == "frame first") Give(0, 0, 0);
  if (deed == "strange facts") {
    Announce announce = Video();
    std::memset(announce.codec, '\x1b', sizeof announce.codec);
    announce.duration = nan;
    announce.fps = -nan;
    announce.used_fps = std::numeric_limits<double>::infinity();
    announce.frames = std::numeric_limits<std::int64_t>::min();
    Send(kSocket, announce);
    Receive(kSocket, true);
    Send(kSocket, End{});
  }
  if (deed == "twice") AfterAFrame([] { Send(kSocket, Video()); });
  if (deed == "slot beyond") AfterAFrame([] { Give(3, 1, 1); });
  if (deed == "slot far beyond") AfterAFrame([] { Give(0xFFFFFFFF, 1, 1); });
  if (deed == "slot in use") AfterAFrame([] { Give(0, 1, 1); });
  if (deed == "time nan") AfterAFrame([&] { Give(1, 1, nan); });
  if (deed == "time back") AfterAFrame([] { Give(1, 1, 0); });
  if (deed == "index back") AfterAFrame([] { Give(1, 0, 1); });
  if (deed == "killed in the middle") AfterAFrame([] { ::raise(SIGKILL); });
  if (deed == "not picked") {
    Send(kSocket, Video());
    while (!std::holds_alternative<RingOffer>(*ParseToDecoder(Receive(kSocket, true).content()))) {
    }
    Give(0, 6, 0);
  }
  if (deed == "deaf") {
    Send(kSocket, Video());
    Wait();
  }
  if (deed == "endless") {
    Send(kSocket, Video());
    Receive(kSocket, true);
    for (int i = 0;; ++i) {
      Give(static_cast<std::uint32_t>(i % 3), i, i);
      if (i >= 2) Receive(kSocket, true);
    }
  }
  if (deed == "grow") {  // resizing the ring under the parent
    Send(kSocket, Video());
    const Packet packet = Receive(kSocket, true);
    const bool refused = ::ftruncate(packet.fd.get(), 0) != 0;
    Give(0, 0, 0);
    Send(kSocket, End{.truncated = refused});
  }
  Wait();
}

}  // namespace
}  // namespace unmask::wire

int main(int argc, char** argv) {
  using namespace unmask::wire;
  if (argc < 2) return 2;
  ServeSplits(kSocket, std::atoi(argv[1]));
  const Packet job = Receive(kSocket, true);
  if (!job.fd) return 0;
  char deed[64] = {};
  if (::pread(job.fd.get(), deed, sizeof deed - 1, 0) < 0) return 1;
  Do(deed);
  return 0;
}
