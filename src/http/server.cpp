// SPDX-License-Identifier: Apache-2.0
#include "http/server.hpp"

#include <algorithm>
#include <charconv>
#include <thread>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "http/connection.hpp"

namespace unmask::http {
namespace {

constexpr std::size_t kSurplusConnections =
    64;  // beyond max_connections, to say 503 and to answer health checks
constexpr auto kAcceptPause = std::chrono::milliseconds(50);  // when descriptors have run out

Result<tcp::endpoint> ParseAddress(const std::string& text) {
  const auto malformed = [&] {
    return Fail(ErrorCode::kBadRequest, fmt::format("expected ADDR:PORT, found '{}'", text),
                "for example --listen 127.0.0.1:8080, or [::1]:8080, or 0.0.0.0:8080 for every interface");
  };
  const auto colon = text.rfind(':');
  if (colon == std::string::npos) return malformed();
  std::string host = text.substr(0, colon);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']')
    host = host.substr(1, host.size() - 2);
  else if (host.find(':') != std::string::npos)
    return malformed();
  if (host == "localhost") host = "127.0.0.1";
  std::uint16_t port = 0;
  const auto parsed = std::from_chars(text.data() + colon + 1, text.data() + text.size(), port);
  if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size()) return malformed();
  beast::error_code ec;
  const auto address = asio::ip::make_address(host, ec);
  if (ec) return malformed();
  return tcp::endpoint(address, port);
}

std::string Written(const tcp::endpoint& endpoint) {
  const auto address = endpoint.address().to_string();
  return fmt::format(fmt::runtime(endpoint.address().is_v6() ? "[{}]:{}" : "{}:{}"), address,
                     endpoint.port());
}

using Strand = asio::strand<asio::io_context::executor_type>;
using Acceptor = asio::basic_socket_acceptor<tcp, Strand>;
using Timer = asio::basic_waitable_timer<std::chrono::steady_clock,
                                         asio::wait_traits<std::chrono::steady_clock>, Strand>;

class Listener : public std::enable_shared_from_this<Listener> {
 public:
  Listener(ServerCore& core, std::shared_ptr<const Served> served)
      : core_(core),
        acceptor_(asio::make_strand(core.io)),
        pause_(acceptor_.get_executor()),
        served_(std::move(served)) {}

  Result<std::string> Open(const tcp::endpoint& endpoint) {
    beast::error_code ec;
    acceptor_.open(endpoint.protocol(), ec);
    if (!ec) acceptor_.set_option(asio::socket_base::reuse_address(true), ec);
    if (!ec && endpoint.address().is_v6()) acceptor_.set_option(asio::ip::v6_only(true), ec);
    if (!ec) acceptor_.bind(endpoint, ec);
    if (!ec) acceptor_.listen(asio::socket_base::max_listen_connections, ec);
    if (ec == asio::error::address_in_use)
      return Fail(ErrorCode::kConflict, fmt::format("{} is in use", Written(endpoint)),
                  "stop the other program or choose another port with --listen");
    if (ec == asio::error::access_denied)
      return Fail(ErrorCode::kUnreadable, fmt::format("not allowed to listen on {}", Written(endpoint)),
                  "choose a port above 1023 with --listen");
    if (ec)
      return Fail(ErrorCode::kBadRequest,
                  fmt::format("cannot listen on {}: {}", Written(endpoint), ec.message()),
                  "choose an address of this machine with --listen");
    const auto real = Written(acceptor_.local_endpoint());
    asio::post(acceptor_.get_executor(), [self = shared_from_this()] { self->AcceptNext(); });
    return real;
  }

  void Close() {
    asio::post(acceptor_.get_executor(), [self = shared_from_this()] {
      beast::error_code ignored;
      self->acceptor_.close(ignored);
      self->pause_.cancel();
    });
  }

 private:
  void AcceptNext() {
    acceptor_.async_accept(asio::make_strand(core_.io),
                           [self = shared_from_this()](beast::error_code ec, Connection::Socket socket) {
                             if (!self->acceptor_.is_open() || self->core_.closing) return;
                             if (ec == asio::error::no_descriptors || ec == asio::error::no_memory ||
                                 ec == asio::error::no_buffer_space) {
                               spdlog::warn("cannot accept a connection: {}", ec.message());
                               self->pause_.expires_after(kAcceptPause);
                               self->pause_.async_wait([self](beast::error_code) {
                                 if (self->acceptor_.is_open()) self->AcceptNext();
                               });
                               return;
                             }
                             if (!ec) self->Take(std::move(socket));
                             self->AcceptNext();
                           });
  }

  void Take(Connection::Socket socket) {
    const auto limit = static_cast<std::size_t>(core_.options.max_connections);
    const auto open = core_.size();
    if (open >= limit + kSurplusConnections) return;  // the socket closes itself
    beast::error_code ignored;
    socket.set_option(tcp::no_delay(true), ignored);
    auto connection = std::make_shared<Connection>(core_, std::move(socket), served_, open >= limit);
    core_.Add(connection);
    connection->Start();
  }

  ServerCore& core_;
  Acceptor acceptor_;
  Timer pause_;
  std::shared_ptr<const Served> served_;
};

struct TimerState {
  explicit TimerState(asio::io_context& io) : timer(asio::make_strand(io)) {}
  Timer timer;
  std::atomic<bool> cancelled = false;
};

class ServerImpl : public Server {
 public:
  ServerImpl(ServerOptions options, Observer* observer)
      : core_(options, observer), pool_(*core_.pool), work_(core_.io.get_executor()) {
    for (int i = 0; i < std::max(1, options.io_threads); ++i) threads_.emplace_back([this] { RunIo(); });
  }

  ~ServerImpl() override {
    StopAccepting();
    for (const auto& peer : core_.Snapshot()) peer->CloseNow();
    core_.WaitUntilEmpty(2);
    core_.pool.reset();
    work_.reset();
    core_.io.stop();
    for (auto& thread : threads_) thread.join();
  }

  Result<std::string> Listen(const std::string& address, std::shared_ptr<const Router> routes,
                             Gate gate) override {
    const auto endpoint = ParseAddress(address);
    if (!endpoint) return tl::unexpected(endpoint.error());
    auto listener = std::make_shared<Listener>(
        core_, std::make_shared<const Served>(Served{std::move(routes), std::move(gate)}));
    auto real = listener->Open(*endpoint);
    if (real) {
      const std::lock_guard lock(mutex_);
      listeners_.push_back(std::move(listener));
    }
    return real;
  }

  void StopAccepting() override {
    core_.closing = true;
    const std::lock_guard lock(mutex_);
    for (const auto& listener : listeners_) listener->Close();
    for (const auto& peer : core_.Snapshot()) peer->CloseWhenIdle();
  }

  bool Drain(double seconds) override {
    for (const auto& peer : core_.Snapshot()) peer->CloseWhenIdle();
    if (core_.WaitUntilEmpty(seconds)) return true;
    for (const auto& peer : core_.Snapshot()) peer->CloseNow();
    core_.WaitUntilEmpty(2);
    return false;
  }

  std::size_t connections() const override { return core_.size(); }

  bool Submit(std::function<void()> task) override {
    return pool_.TrySubmit([task = std::move(task)] {
      try {
        task();
      } catch (const std::exception& e) {
        spdlog::error("on a handler thread: {}", e.what());
      }
    });
  }

  std::shared_ptr<void> After(double seconds, std::function<void()> then) override {
    auto state = std::make_shared<TimerState>(core_.io);
    asio::post(state->timer.get_executor(), [state, seconds, then = std::move(then)]() mutable {
      if (state->cancelled) return;
      state->timer.expires_after(Seconds(seconds));
      state->timer.async_wait([state, then = std::move(then)](beast::error_code ec) {
        if (!ec && !state->cancelled) then();
      });
    });
    return {state.get(), [state](void*) {
              state->cancelled = true;
              asio::post(state->timer.get_executor(), [state] { state->timer.cancel(); });
            }};
  }

 private:
  void RunIo() {
    for (;;) {
      try {
        core_.io.run();
        return;
      } catch (const std::exception& e) {
        spdlog::error("on a network thread: {}", e.what());
      }
    }
  }

  ServerCore core_;
  ThreadPool& pool_;  ///< tasks may submit others while the destructor waits for them
  asio::executor_work_guard<asio::io_context::executor_type> work_;
  std::mutex mutex_;
  std::vector<std::shared_ptr<Listener>> listeners_;
  std::vector<std::thread> threads_;
};

}  // namespace

ServerCore::ServerCore(ServerOptions opts, Observer* obs)
    : options(opts), observer(obs), io(std::max(1, opts.io_threads)) {
  const auto capacity = 4 * static_cast<std::size_t>(options.max_connections) + kSurplusConnections;
  pool.emplace(static_cast<std::size_t>(std::max(1, options.handler_threads)), capacity);
}

void ServerCore::Add(std::shared_ptr<Peer> peer) {
  const std::lock_guard lock(mutex_);
  const auto* key = peer.get();
  peers_.emplace(key, std::move(peer));
}

void ServerCore::Remove(const Peer* peer) {
  std::shared_ptr<Peer> removed;  // destroyed without the lock
  const std::lock_guard lock(mutex_);
  const auto found = peers_.find(peer);
  if (found == peers_.end()) return;
  removed = std::move(found->second);
  peers_.erase(found);
  if (peers_.empty()) empty_.notify_all();
}

std::vector<std::shared_ptr<Peer>> ServerCore::Snapshot() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::shared_ptr<Peer>> all;
  for (const auto& [key, peer] : peers_) all.push_back(peer);
  return all;
}

std::size_t ServerCore::size() const {
  const std::lock_guard lock(mutex_);
  return peers_.size();
}

bool ServerCore::WaitUntilEmpty(double seconds) {
  std::unique_lock lock(mutex_);
  return empty_.wait_for(lock, std::chrono::duration<double>(seconds), [this] { return peers_.empty(); });
}

std::unique_ptr<Server> Server::Create(ServerOptions options, Observer* observer) {
  return std::make_unique<ServerImpl>(options, observer);
}

}  // namespace unmask::http
