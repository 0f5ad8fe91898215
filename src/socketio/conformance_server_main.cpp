// SPDX-License-Identifier: Apache-2.0
// A server for the protocols' conformance tests: socketio-conformance-server --port N [PING_TIMEOUT].
// Test-only.
//
// Engine.IO at /engine.io/ echoes every message. Socket.IO at /socket.io/ has the namespaces "/" and
// "/custom". Times are short, so that tests of time-outs are.

#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <string>
#include <string_view>
#include <thread>

#include <nlohmann/json.hpp>

#include "http/server.hpp"
#include "socketio/engine_server.hpp"
#include "socketio/server.hpp"

namespace unmask::socketio {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

class Echo : public EngineEvents {
 public:
  explicit Echo(std::weak_ptr<EngineSession> session) : session_(std::move(session)) {}
  void OnMessage(EnginePacket message) override {
    if (const auto session = session_.lock()) session->Send({std::move(message)});
  }
  void OnOversize(EnginePacket) override {
    if (const auto session = session_.lock()) session->Close();
  }
  void OnEnd(EngineEnd) override {}

 private:
  const std::weak_ptr<EngineSession> session_;
};

/// Reasons of disconnections, for tests to ask about.
class Reasons {
 public:
  void Add(std::string id, std::string_view reason) {
    const std::lock_guard lock(mutex_);
    reasons_[std::move(id)] = reason;
  }
  std::string Of(const std::string& id) const {
    const std::lock_guard lock(mutex_);
    const auto found = reasons_.find(id);
    return found == reasons_.end() ? "" : found->second;
  }

 private:
  mutable std::mutex mutex_;
  std::map<std::string, std::string> reasons_;
};

class TestSocket : public SocketEvents {
 public:
  TestSocket(std::shared_ptr<Socket> socket, Reasons& reasons)
      : socket_(std::move(socket)), reasons_(reasons) {}

  void OnEvent(Event event) override {
    const ordered_json arguments(event.arguments);
    if (event.name == "message") {
      socket_->Emit("message-back", arguments);
    } else if (event.name == "message-with-ack") {
      event.ack.Send(arguments);
    } else if (event.name == "ask-back") {  // the server asks, and tells what it was answered
      socket_->EmitWithAck("question", arguments, 0.5, [socket = socket_](const Result<json>& answer) {
        socket->Emit("answer", answer ? ordered_json(*answer) : ordered_json("no answer"));
      });
    } else if (event.name == "work") {  // as a handler that computes for so many milliseconds
      std::this_thread::sleep_for(std::chrono::milliseconds(event.arguments.at(0).get<int>()));
      event.ack.Send(arguments.at(0));
    } else if (event.name == "disconnect-me") {
      socket_->Disconnect(event.arguments.at(0).get<bool>());
    } else if (event.name == "reason-of") {
      event.ack.Send(reasons_.Of(event.arguments.at(0).get<std::string>()));
    }
  }

  bool OnOversize(std::size_t limit, const Ack&) override {
    socket_->Emit("too-large", limit);
    return true;
  }

  void OnDisconnect(std::string_view reason) override { reasons_.Add(socket_->id(), reason); }

 private:
  const std::shared_ptr<Socket> socket_;
  Reasons& reasons_;
};

int Serve(const std::string& port, double ping_timeout) {
  Reasons reasons;
  const auto http = http::Server::Create({});
  Options options;
  options.ping_interval = 0.3;
  options.ping_timeout = ping_timeout;
  options.connect_timeout = 1;
  options.max_payload = 1'000'000;

  const auto sockets = Server::Create(options, *http);
  const auto accept = [&](const std::shared_ptr<Socket>& socket,
                          const json& auth) -> Result<std::unique_ptr<SocketEvents>> {
    if (auth.is_object() && auth.value("token", json()) == "wrong")
      return Fail(ErrorCode::kBadRequest, "not authorized");
    socket->Emit("auth", auth.is_null() ? ordered_json::object() : ordered_json(auth));
    return std::make_unique<TestSocket>(socket, reasons);
  };
  sockets->Namespace("/", accept);
  sockets->Namespace("/custom", accept);

  options.path = "/engine.io/";
  const auto engine = EngineServer::Create(
      options, *http, [](const auto& session) { return std::make_unique<Echo>(session); });

  auto router = std::make_shared<http::Router>();
  sockets->Mount(*router);
  engine->Mount(*router);

  std::string real_port = port;
  for (const std::string host : {"127.0.0.1", "[::1]"}) {
    const auto address = http->Listen(host + ":" + real_port, router);
    if (!address) {
      std::fprintf(stderr, "error: %s\n", address.error().message.c_str());
      return 1;
    }
    real_port = address->substr(address->rfind(':') + 1);
    std::printf("listening on %s\n", address->c_str());
  }
  std::fflush(stdout);

  sigset_t end;
  sigemptyset(&end);
  sigaddset(&end, SIGTERM);
  sigaddset(&end, SIGINT);
  int signal = 0;
  sigwait(&end, &signal);
  sockets->Shutdown();
  engine->Shutdown();
  http->StopAccepting();
  return http->Drain(10) ? 0 : 1;
}

}  // namespace
}  // namespace unmask::socketio

int main(int argc, char** argv) {
  if ((argc != 3 && argc != 4) || std::string_view(argv[1]) != "--port") {
    std::fprintf(stderr,
                 "usage: %s --port N [SECONDS]   (0 for a free one; the ping's time-out, default 0.2)\n",
                 argv[0]);
    return 2;
  }
  // Before any thread is made, so that all inherit it.
  sigset_t end;
  sigemptyset(&end);
  sigaddset(&end, SIGTERM);
  sigaddset(&end, SIGINT);
  pthread_sigmask(SIG_BLOCK, &end, nullptr);
  return unmask::socketio::Serve(argv[2], argc > 3 ? std::stod(argv[3]) : 0.2);
}
