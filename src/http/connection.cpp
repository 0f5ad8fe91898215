// SPDX-License-Identifier: Apache-2.0
#include "http/connection.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/read.hpp>
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "http/problem.hpp"
#include "http/query.hpp"

namespace unmask::http {
namespace {

constexpr std::size_t kIgnoredBodyBytes = 64 * 1024;  // of a body that a route has no use for

/// For routes without a body: swallows what came anyway, then calls the handler.
class IgnoredBody : public BodyReceiver {
 public:
  IgnoredBody(Handler handle, RequestPtr request)
      : handle_(std::move(handle)), request_(std::move(request)) {}
  Result<void> Write(std::string_view) override { return {}; }
  void Finish(Responder responder) override { handle_(request_, std::move(responder)); }

 private:
  Handler handle_;
  RequestPtr request_;
};

}  // namespace

Connection::Connection(ServerCore& core, Socket socket, std::shared_ptr<const Served> served, bool surplus)
    : core_(core),
      stream_(std::move(socket)),
      buffer_(core.options.max_header_bytes + 2 * kPieceBytes),
      served_(std::move(served)),
      surplus_(surplus) {}

void Connection::Start() {
  asio::post(stream_.get_executor(), [self = shared_from_this()] { self->ReadNext(); });
}

void Connection::CloseWhenIdle() {
  asio::post(stream_.get_executor(), [self = shared_from_this()] {
    self->close_after_ = true;
    if (self->idle_) self->Close();
  });
}

void Connection::CloseNow() {
  asio::post(stream_.get_executor(), [self = shared_from_this()] { self->Close(); });
}

// ---- reading a request ----

void Connection::ReadNext() {
  if (closed_) return;
  if (core_.closing || client_left_) return Close();
  ++exchange_;
  parser_.emplace();
  parser_->header_limit(static_cast<std::uint32_t>(core_.options.max_header_bytes));
  parser_->body_limit(boost::none);  // counted here, so that the answer can be a proper one
  request_.reset();
  receiver_.reset();
  match_ = {};
  granted_ = {};
  gone_ = std::stop_source();
  response_ = {};
  body_bytes_ = 0;
  close_after_ = false;
  if (buffer_.size() > 0) return ReadHeader();
  buffer_.shrink_to_fit();  // idle connections are many, and an upload has left a large one

  idle_ = true;
  stream_.expires_after(
      Seconds(first_request_ ? core_.options.header_timeout : core_.options.keep_alive_timeout));
  stream_.async_read_some(buffer_.prepare(4096), [self = shared_from_this()](Error_code ec, std::size_t n) {
    self->idle_ = false;
    if (ec) return self->Close();
    self->buffer_.commit(n);
    self->ReadHeader();
  });
}

void Connection::ReadHeader() {
  first_request_ = false;
  began_ = std::chrono::steady_clock::now();
  stream_.expires_after(Seconds(core_.options.header_timeout));
  beast::http::async_read_header(
      stream_, buffer_, *parser_,
      [self = shared_from_this()](Error_code ec, std::size_t) { self->OnHeader(ec); });
}

void Connection::OnHeader(Error_code ec) {
  if (closed_) return;
  request_ = std::make_shared<Request>();
  request_->gone = gone_.get_token();
  in_request_ = !ec;
  match_.style = nullptr;
  if (ec) {
    // Only a parse error is worth an answer; anything else means that nobody listens.
    if (ec.category() != beast::http::make_error_code(beast::http::error::bad_method).category() ||
        ec == beast::http::error::end_of_stream || ec == beast::http::error::partial_message)
      return Close();
    request_->trace_id = TraceIdFrom(nullptr);
    close_after_ = true;
    if (ec == beast::http::error::header_limit || ec == beast::http::error::buffer_overflow)
      return Refuse({ErrorCode::kBadRequest,
                     fmt::format("the header is longer than the {} bytes that are accepted",
                                 core_.options.max_header_bytes),
                     "", ""},
                    431);
    return Refuse(
        {ErrorCode::kBadRequest, fmt::format("not a valid HTTP/1.1 request: {}", ec.message()), "", ""});
  }
  if (const auto error = BuildRequest()) {
    close_after_ = true;
    return Refuse(*error);
  }
  Dispatch();
}

std::optional<Error> Connection::BuildRequest() {
  const auto& message = parser_->get();
  Request& request = *request_;
  request.method = std::string(message.method_string());
  for (const auto& field : message)
    request.headers.Add(std::string(field.name_string()), std::string(field.value()));
  request.trace_id = TraceIdFrom(request.headers.Find("traceparent"));
  Error_code ignored;
  const auto peer = stream_.socket().remote_endpoint(ignored);
  request.client = peer.address().to_string();
  request.has_body = parser_->chunked() || parser_->content_length().value_or(0) > 0;
  if (!parser_->chunked())
    if (const auto length = parser_->content_length()) request.content_length = *length;
  close_after_ = !message.keep_alive() || core_.closing || surplus_;

  std::string_view target(message.target().data(), message.target().size());
  // The absolute form (RFC 9112, 3.2.2) is for proxies, but a server must take it.
  for (const std::string_view scheme : {"http://", "https://"})
    if (target.size() > scheme.size() && EqualsIgnoreCase(target.substr(0, scheme.size()), scheme)) {
      target.remove_prefix(scheme.size());
      target.remove_prefix(std::min(target.find_first_of("/?"), target.size()));
    }
  const auto mark = std::min(target.find('?'), target.size());
  request.path = std::string(target.substr(0, mark));
  request.raw_query = std::string(target.substr(std::min(mark + 1, target.size())));
  if (request.path.empty()) request.path = "/";
  if (request.path.front() != '/')
    return Error{ErrorCode::kBadRequest, "the request's target must begin with '/'", "", ""};
  if (message.version() == 11 && request.headers.Count("Host") != 1)
    return Error{ErrorCode::kBadRequest, "expected exactly one Host header", "", ""};
  if (message.version() != 11 && message.version() != 10)
    return Error{ErrorCode::kBadRequest, "expected HTTP/1.1", "", ""};
  if (const auto* encoding = request.headers.Find("Transfer-Encoding");
      encoding && !EqualsIgnoreCase(*encoding, "chunked"))
    return Error{ErrorCode::kBadRequest, "the only Transfer-Encoding accepted is chunked", "", ""};
  auto query = ParseQuery(request.raw_query);
  if (!query) return query.error();
  request.query = std::move(*query);
  return std::nullopt;
}

void Connection::Dispatch() {
  if (served_->gate) {
    auto passed = served_->gate(*request_);
    if (!passed) {
      match_.style = &served_->routes->style();
      return Refuse(passed.error());
    }
    granted_ = std::move(*passed);
  }
  match_ = served_->routes->Find(request_->method, request_->path);
  if (!match_.route) {
    if (request_->method == "OPTIONS" && match_.error.code == ErrorCode::kMethodNotAllowed) {
      Response response{.status = 204};
      response.headers.Set("Allow", match_.allow);
      return OnResponse(std::move(response));
    }
    return Refuse(match_.error);
  }
  const Route& route = *match_.route;
  request_->params = std::move(match_.params);
  request_->route = route.path;

  if (surplus_ && (route.runs != Route::Runs::kInPlace || !route.when_full)) {
    return Refuse({ErrorCode::kOverloaded,
                   fmt::format("all {} connections are in use", core_.options.max_connections), "try again",
                   ""});
  }
  if (const auto* expect = request_->headers.Find("Expect");
      expect && !EqualsIgnoreCase(*expect, "100-continue"))
    return Refuse({ErrorCode::kBadRequest, "the only expectation accepted is 100-continue", "", ""}, 417);

  if (route.upgrade && AsksForWebSocket()) return Upgrade();
  if (!route.handle && !route.receive) {
    auto response = ErrorResponse({ErrorCode::kBadRequest, "expected a request to open a WebSocket", "", ""});
    response.status = 426;
    response.headers.Set("Upgrade", "websocket");
    return OnResponse(std::move(response));
  }

  const std::uint64_t limit = route.receive ? route.max_body : kIgnoredBodyBytes;
  if (request_->content_length.value_or(0) > limit)
    return Refuse(
        {ErrorCode::kTooLarge,
         fmt::format("the body has {} bytes, accepted are at most {}", *request_->content_length, limit), "",
         ""});
  if (route.receive) return Accept();
  if (BodyIsPending()) {
    receiver_ = std::make_unique<IgnoredBody>(route.handle, request_);
    return Send100ThenRead();
  }
  RunHandler();
}

template <typename Work>
void Connection::Run(Work work) {
  // An exception drops the responder, if there is one, and that answers 500. From then on the strand may be
  // at the next request already: the task keeps what it names.
  const bool responder_answers = answering_;
  auto guarded = [self = shared_from_this(), request = RequestPtr(request_), responder_answers,
                  work = std::move(work)]() mutable -> std::function<void()> {
    try {
      return work();
    } catch (const std::exception& e) {
      spdlog::error("{} {} [{}]: {}", request->method, request->path, request->trace_id, e.what());
      if (responder_answers) return {};
      return [self] { self->Refuse(kFault); };
    }
  };
  if (match_.route->runs == Route::Runs::kInPlace) {
    if (const auto then = guarded()) then();
    return;
  }
  const bool taken =
      core_.pool->TrySubmit([self = shared_from_this(), guarded = std::move(guarded)]() mutable {
        auto then = guarded();
        if (!then) return;
        asio::post(self->stream_.get_executor(), [self, then = std::move(then)] {
          if (!self->closed_) then();
        });
      });
  if (!taken) Close();
}

void Connection::RunHandler() {
  answering_ = true;
  Run([handle = &match_.route->handle, request = RequestPtr(request_),
       responder = MakeResponder()]() mutable -> std::function<void()> {
    (*handle)(request, std::move(responder));
    return {};
  });
  Watch();
}

// ---- reading a body ----

bool Connection::BodyIsPending() const {
  return request_ && request_->has_body && parser_ && !parser_->is_done();
}

void Connection::Accept() {
  Run([this, receive = &match_.route->receive, request = RequestPtr(request_)]() -> std::function<void()> {
    auto receiver = (*receive)(request);
    if (!receiver) return [this, error = receiver.error()] { Refuse(error); };
    return [this, taken = std::make_shared<std::unique_ptr<BodyReceiver>>(std::move(*receiver))] {
      receiver_ = std::move(*taken);
      uploading_ = true;
      if (core_.observer) core_.observer->OnUploadBegin();
      Send100ThenRead();
    };
  });
}

void Connection::Send100ThenRead() {
  piece_.resize(kPieceBytes);
  buffer_.reserve(kPieceBytes);
  window_left_ = Seconds(core_.options.progress_timeout);
  window_bytes_ = 0;
  // A client that has begun to send no longer waits for the interim answer.
  if (!request_->headers.Find("Expect") || !BodyIsPending() || buffer_.size() > 0) return ReadBody();
  head_ = "HTTP/1.1 100 Continue\r\n\r\n";
  stream_.expires_after(Seconds(core_.options.progress_timeout));
  asio::async_write(stream_, asio::buffer(head_), [self = shared_from_this()](Error_code ec, std::size_t) {
    if (ec) return self->Close();
    self->ReadBody();
  });
}

void Connection::ReadBody() {
  if (closed_) return;
  if (parser_->is_done()) return FinishBody();
  auto& body = parser_->get().body();
  body.data = piece_.data();
  body.size = piece_.size();
  const auto began = std::chrono::steady_clock::now();
  stream_.expires_after(window_left_);
  beast::http::async_read_some(stream_, buffer_, *parser_,
                               [self = shared_from_this(), began](Error_code ec, std::size_t) {
                                 self->window_left_ -= std::chrono::steady_clock::now() - began;
                                 self->OnBody(ec);
                               });
}

void Connection::OnBody(Error_code ec) {
  if (closed_) return;
  if (ec == beast::http::error::need_buffer) ec = {};
  if (ec) {
    const bool malformed =
        ec.category() == beast::http::make_error_code(beast::http::error::bad_chunk).category() &&
        ec != beast::http::error::end_of_stream && ec != beast::http::error::partial_message;
    if (!malformed) return Close();
    return Refuse({ErrorCode::kBadRequest, fmt::format("the body is not valid: {}", ec.message()), "", ""});
  }
  const std::size_t got = piece_.size() - parser_->get().body().size;
  body_bytes_ += got;
  window_bytes_ += got;
  if (window_bytes_ >= core_.options.progress_bytes) {
    window_left_ = Seconds(core_.options.progress_timeout);
    window_bytes_ = 0;
  }
  const std::uint64_t limit = match_.route->receive ? match_.route->max_body : kIgnoredBodyBytes;
  if (body_bytes_ > limit)
    return Refuse({ErrorCode::kTooLarge,
                   fmt::format("the body is larger than the {} bytes that are accepted", limit), "", ""});
  if (got == 0) return ReadBody();
  Run([this, receiver = receiver_.get(), got]() -> std::function<void()> {
    auto written = receiver->Write({piece_.data(), got});
    if (!written) return [this, error = written.error()] { Refuse(error); };
    return [this] { ReadBody(); };
  });
}

void Connection::FinishBody() {
  piece_ = {};
  answering_ = true;
  Run([receiver = std::shared_ptr<BodyReceiver>(std::move(receiver_)),
       responder = MakeResponder()]() mutable -> std::function<void()> {
    receiver->Finish(std::move(responder));
    return {};
  });
  Watch();
}

}  // namespace unmask::http
