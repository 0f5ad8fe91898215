// SPDX-License-Identifier: Apache-2.0
#include "socketio/engine_server.hpp"

#include <atomic>
#include <map>
#include <mutex>
#include <unordered_map>
#include <utility>

#include "base/id.hpp"
#include "http/problem.hpp"
#include "socketio/engine_session.hpp"
#include "socketio/engine_words.hpp"

namespace unmask::socketio {
namespace {

using http::Request;
using http::RequestPtr;
using http::Responder;
using http::Response;

EngineMachine::Duration ToDuration(double seconds) {
  return std::chrono::duration_cast<EngineMachine::Duration>(std::chrono::duration<double>(seconds));
}

const std::string* FindQuery(const Request& request, std::string_view name) {
  for (const auto& [key, value] : request.query)
    if (key == name) return &value;
  return nullptr;
}

/// The sessions of a server, and the requests that find or make them. Routes share it.
class EngineCore : public std::enable_shared_from_this<EngineCore> {
 public:
  EngineCore(Options options, http::Timers& timers, EngineHandler handler)
      : shared_(std::make_shared<EngineShared>(
            EngineShared{options,
                         {.ping_interval = ToDuration(options.ping_interval),
                          .ping_timeout = ToDuration(options.ping_timeout),
                          .upgrade_timeout = ToDuration(options.upgrade_timeout),
                          .max_packets = options.max_packets,
                          .max_backlog = options.max_backlog},
                         timers})),
        handler_(std::move(handler)) {}

  const Options& options() const { return shared_->options; }

  void Get(const RequestPtr& request, const Responder& responder) {
    if (request->method != "GET") return responder.Send(Refuse(*request, Refusal::kBadMethod));  // HEAD
    auto asked = Examine(*request, EngineTransport::kPolling);
    if (!asked) return responder.Send(std::move(asked.error()));
    if (!*asked) {
      auto opened = Open(request, EngineTransport::kPolling);
      if (!opened) return responder.Send(std::move(opened.error()));
      asked = std::move(*opened);
    }
    (*asked)->Poll(request, responder);
  }

  tl::expected<std::unique_ptr<http::WebSocketEvents>, Response> Upgrade(const RequestPtr& request) {
    const auto asked = Examine(*request, EngineTransport::kWebSocket);
    if (!asked) return tl::unexpected(asked.error());
    if (!*asked) {
      const auto opened = Open(request, EngineTransport::kWebSocket);
      if (!opened) return tl::unexpected(opened.error());
      return (*opened)->MakeSocketEvents(false);
    }
    if (!(*asked)->BeginProbe()) return tl::unexpected(Refuse(*request, Refusal::kBadRequest));
    return (*asked)->MakeSocketEvents(true);
  }

  /// The session that a POST is for, begun.
  tl::expected<std::shared_ptr<LiveSession>, Response> Post(const Request& request) {
    const auto asked = Examine(request, EngineTransport::kPolling);
    if (!asked) return tl::unexpected(asked.error());
    if (!*asked) return tl::unexpected(Refuse(request, Refusal::kBadMethod));
    if (const auto* type = request.headers.Find("Content-Type");
        type && http::EqualsIgnoreCase(*type, "application/octet-stream")) {
      (*asked)->Abort();  // binary payloads went with protocol 3
      return tl::unexpected(Refuse(request, Refusal::kBadRequest));
    }
    if (!(*asked)->BeginPost()) return tl::unexpected(Refuse(request, Refusal::kBadRequest));
    return *asked;
  }

  Response Refuse(const Request& request, Refusal refusal, const std::string& about = {}) const {
    auto response = RefusalResponse(options().dialect, refusal, about);
    AddCors(options(), request, response);
    return response;
  }

  std::size_t size() const {
    const std::lock_guard lock(mutex_);
    return sessions_.size();
  }

  void Shutdown() {
    std::vector<std::shared_ptr<LiveSession>> all;
    {
      const std::lock_guard lock(mutex_);
      closed_ = true;
      for (const auto& [id, session] : sessions_) all.push_back(session);
    }
    for (const auto& session : all) session->Abort();
  }

 private:
  using Found = std::shared_ptr<LiveSession>;

  /// The session that the request names, null when it names none and may open one.
  tl::expected<Found, Response> Examine(const Request& request, EngineTransport transport) const {
    const auto refuse = [&](Refusal refusal, const std::string& about = {}) {
      return tl::unexpected(Refuse(request, refusal, about));
    };
    const bool python = options().dialect == Dialect::kPythonEngineIo;
    if (!OriginAllowed(options(), request))
      return refuse(Refusal::kForbiddenOrigin, *request.headers.Find("Origin"));
    const auto* wanted = FindQuery(request, "transport");
    const std::string_view name = wanted ? std::string_view(*wanted) : python ? "polling" : "";
    if (name != "polling" && name != "websocket") return refuse(Refusal::kUnknownTransport);
    const auto* sid = FindQuery(request, "sid");
    const auto* protocol = FindQuery(request, "EIO");
    if (python && !sid && (!protocol || *protocol != "4")) return refuse(Refusal::kUnsupportedProtocol);
    Found found;
    if (sid) {
      const std::lock_guard lock(mutex_);
      const auto place = sessions_.find(*sid);
      if (place == sessions_.end()) return refuse(Refusal::kUnknownSession, *sid);
      found = place->second;
    } else if (request.method != "GET") {
      return refuse(Refusal::kBadMethod);
    }
    const bool matches = name == (transport == EngineTransport::kPolling ? "polling" : "websocket");
    if (!matches) return refuse(name == "websocket" ? Refusal::kNoUpgrade : Refusal::kBadRequest);
    if (!sid && (!protocol || *protocol != "4")) return refuse(Refusal::kUnsupportedProtocol);
    return found;
  }

  tl::expected<Found, Response> Open(const RequestPtr& request, EngineTransport transport) {
    const auto& limits = options();
    const auto address = limits.client_address ? limits.client_address(*request) : request->client;
    const auto on_end = [weak = weak_from_this(), address](const std::string& id) {
      if (const auto core = weak.lock()) core->Remove(id, address);
    };
    {
      const std::lock_guard lock(mutex_);
      if (closed_ || sessions_.size() + opening_ >= limits.max_sessions)
        return tl::unexpected(Refuse(*request, Refusal::kTooManySessions));
      auto& of_address = of_address_[address];
      if (of_address >= limits.max_sessions_per_address)
        return tl::unexpected(Refuse(*request, Refusal::kTooManyOfAddress));
      ++of_address;
      ++opening_;
    }
    auto session = std::make_shared<LiveSession>(shared_, NewId(), request, transport, on_end);
    session->Begin(handler_);  // before anybody can find it
    const std::lock_guard lock(mutex_);
    --opening_;
    if (closed_) {
      Uncount(address);
      return tl::unexpected(Refuse(*request, Refusal::kTooManySessions));
    }
    sessions_.emplace(session->id(), session);
    return session;
  }

  void Remove(const std::string& id, const std::string& address) {
    Found removed;  // destroyed without the lock
    const std::lock_guard lock(mutex_);
    const auto place = sessions_.find(id);
    if (place == sessions_.end()) return;
    removed = std::move(place->second);
    sessions_.erase(place);
    Uncount(address);
  }

  void Uncount(const std::string& address) {
    if (const auto count = of_address_.find(address); --count->second == 0) of_address_.erase(count);
  }

  const std::shared_ptr<const EngineShared> shared_;
  const EngineHandler handler_;
  mutable std::mutex mutex_;
  std::unordered_map<std::string, Found> sessions_;
  std::map<std::string, std::size_t> of_address_;
  std::size_t opening_ = 0;  ///< sessions that are counted and not yet in the table
  bool closed_ = false;
};

/// The body of one POST.
class PostBody : public http::BodyReceiver {
 public:
  PostBody(std::shared_ptr<LiveSession> session, RequestPtr request, std::size_t limit)
      : session_(std::move(session)), request_(std::move(request)), limit_(limit) {}

  ~PostBody() override {
    if (!finished_) session_->AbandonPost();
  }

  Result<void> Write(std::string_view bytes) override {
    if (body_.size() + bytes.size() > limit_) {
      session_->RefuseOversizedPost();
      return Fail(ErrorCode::kTooLarge, "the body is larger than maxPayload");
    }
    body_ += bytes;
    return {};
  }

  void Finish(Responder responder) override {
    finished_ = true;
    session_->FinishPost(*request_, body_, responder);
  }

 private:
  const std::shared_ptr<LiveSession> session_;
  const RequestPtr request_;
  const std::size_t limit_;
  std::string body_;
  bool finished_ = false;
};

/// Answers a POST that is refused, after a small body has been ignored.
class RefusedBody : public http::BodyReceiver {
 public:
  explicit RefusedBody(Response response) : response_(std::move(response)) {}
  Result<void> Write(std::string_view bytes) override {
    ignored_ += bytes.size();
    if (ignored_ > kIgnoredBytes) return Fail(ErrorCode::kBadRequest, "refused");
    return {};
  }
  void Finish(Responder responder) override { responder.Send(std::move(response_)); }

 private:
  static constexpr std::size_t kIgnoredBytes = 64 * 1024;
  Response response_;
  std::size_t ignored_ = 0;
};

class EngineServerImpl : public EngineServer {
 public:
  EngineServerImpl(Options options, http::Timers& timers, EngineHandler handler)
      : core_(std::make_shared<EngineCore>(std::move(options), timers, std::move(handler))) {}

  ~EngineServerImpl() override { Shutdown(); }

  void Mount(http::Router& router) override {
    std::string path = core_->options().path;
    AddRoutes(router, path);
    if (path.size() > 1 && path.ends_with('/')) {
      path.pop_back();
      AddRoutes(router, path);
    }
  }

  std::size_t sessions() const override { return core_->size(); }
  void Shutdown() override { core_->Shutdown(); }

 private:
  /// All run on the network thread: a handler that is busy must not hold up heartbeats.
  void AddRoutes(http::Router& router, const std::string& path) {
    using Runs = http::Route::Runs;
    const auto style =
        std::make_shared<const http::ErrorStyle>([core = core_](const Error& error, const Request& request) {
          auto response = core->Refuse(
              request, error.code == ErrorCode::kTooLarge ? Refusal::kTooLarge : Refusal::kBadRequest);
          response.status = http::HttpStatus(error.code);
          return response;
        });
    http::Route base{.path = path, .runs = Runs::kInPlace, .when_full = false, .style = style};

    auto get = base;
    get.method = "GET";
    get.handle = [core = core_](const RequestPtr& request, const Responder& responder) {
      core->Get(request, responder);
    };
    get.upgrade = [core = core_](const RequestPtr& request) { return core->Upgrade(request); };
    get.websocket = {.max_message = core_->options().max_payload, .backlog = core_->options().max_backlog};
    router.Add(std::move(get));

    auto post = base;
    post.method = "POST";
    post.max_body = UINT64_MAX;  // limited in PostBody, so that the session learns of it
    post.receive = [core = core_](const RequestPtr& request) -> Result<std::unique_ptr<http::BodyReceiver>> {
      auto session = core->Post(*request);
      if (!session) return std::make_unique<RefusedBody>(std::move(session.error()));
      const auto limit = core->options().max_payload;
      auto body = std::make_unique<PostBody>(*session, request, limit);
      if (request->content_length.value_or(0) > limit) {
        (*session)->RefuseOversizedPost();
        return Fail(ErrorCode::kTooLarge, "the body is larger than maxPayload");
      }
      return body;
    };
    router.Add(std::move(post));

    auto other = base;
    other.method = "*";
    other.handle = [core = core_](const RequestPtr& request, const Responder& responder) {
      if (request->method == "OPTIONS" && core->options().cors) {
        Response response{.content_type = "text/plain", .body = "OK"};
        AddCors(core->options(), *request, response);
        return responder.Send(std::move(response));
      }
      responder.Send(core->Refuse(*request, Refusal::kUnsupportedMethod));
    };
    router.Add(std::move(other));
  }

  const std::shared_ptr<EngineCore> core_;
};

}  // namespace

std::unique_ptr<EngineServer> EngineServer::Create(Options options, http::Timers& timers,
                                                   EngineHandler handler) {
  return std::make_unique<EngineServerImpl>(std::move(options), timers, std::move(handler));
}

}  // namespace unmask::socketio
