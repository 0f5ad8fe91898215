// SPDX-License-Identifier: Apache-2.0
#include "socketio/server.hpp"

#include <stdexcept>

#include <fmt/format.h>

#include "socketio/client.hpp"

namespace unmask::socketio {
namespace {

class ServerImpl : public Server {
 public:
  ServerImpl(Options options, http::Server& http)
      : shared_(std::make_shared<SocketShared>(SocketShared{std::move(options), http})),
        namespaces_(std::make_shared<Namespaces>()),
        engine_(EngineServer::Create(
            shared_->options, http,
            [shared = shared_, namespaces = std::shared_ptr<const Namespaces>(namespaces_)](
                const auto& session) { return Client::Make(shared, namespaces, session); })) {}

  void Namespace(std::string name, ConnectHandler handler) override {
    if (!name.starts_with('/') || name.find_first_of(",?") != std::string::npos ||
        name.size() > kMaxNamespace)
      throw std::logic_error(fmt::format("'{}' cannot be the name of a namespace", name));
    if (!namespaces_->emplace(name, std::move(handler)).second)
      throw std::logic_error(fmt::format("namespace '{}' exists twice", name));
  }

  void Mount(http::Router& router) override { engine_->Mount(router); }
  std::size_t sessions() const override { return engine_->sessions(); }
  void Shutdown() override { engine_->Shutdown(); }

 private:
  const std::shared_ptr<const SocketShared> shared_;
  const std::shared_ptr<Namespaces> namespaces_;
  const std::unique_ptr<EngineServer> engine_;
};

}  // namespace

std::unique_ptr<Server> Server::Create(Options options, http::Server& http) {
  return std::make_unique<ServerImpl>(std::move(options), http);
}

}  // namespace unmask::socketio
