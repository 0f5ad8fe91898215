// SPDX-License-Identifier: Apache-2.0
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <spdlog/spdlog.h>

#include "http/connection.hpp"
#include "http/problem.hpp"

namespace unmask::http {
namespace {

constexpr std::size_t kPipelinedBytes = 16 * 1024;  // taken from the socket while an answer is awaited
constexpr std::size_t kBacklogBytes = 1 << 20;      // of a BodyStream
constexpr int kClientClosedRequest = 499;  // in metrics only; nginx's number for "the client left first"

std::string RouteLabel(const Request& request) { return request.route.empty() ? "unknown" : request.route; }

class StreamHandle : public BodyStream {
 public:
  StreamHandle(std::weak_ptr<Connection> connection, std::uint64_t exchange,
               std::shared_ptr<Connection::Backlog> backlog)
      : connection_(std::move(connection)), exchange_(exchange), backlog_(std::move(backlog)) {}

  ~StreamHandle() override {
    if (const auto connection = connection_.lock()) connection->PostStreamEnd(exchange_);
  }

  bool Write(std::string bytes) override {
    const auto connection = connection_.lock();
    if (!connection || backlog_->broken) return false;
    if (backlog_->bytes.fetch_add(bytes.size()) > kBacklogBytes) {
      backlog_->broken = true;
      return false;
    }
    connection->PostChunk(exchange_, std::move(bytes));
    return true;
  }

 private:
  std::weak_ptr<Connection> connection_;
  std::uint64_t exchange_;
  std::shared_ptr<Connection::Backlog> backlog_;
};

class ConnectionSink : public ResponseSink {
 public:
  ConnectionSink(std::weak_ptr<Connection> connection, std::uint64_t exchange)
      : connection_(std::move(connection)), exchange_(exchange) {}

  ~ConnectionSink() override {
    if (answered_) return;
    if (const auto connection = connection_.lock()) connection->PostAbandoned(exchange_);
  }

  void Respond(Response response) override {
    if (answered_.exchange(true)) return;
    if (const auto connection = connection_.lock()) connection->PostResponse(exchange_, std::move(response));
  }

  std::shared_ptr<BodyStream> Stream(Response head) override {
    const auto connection = connection_.lock();
    if (answered_.exchange(true) || !connection) return nullptr;
    return connection->PostStream(exchange_, std::move(head));
  }

 private:
  std::weak_ptr<Connection> connection_;
  std::uint64_t exchange_;
  std::atomic<bool> answered_ = false;
};

}  // namespace

// ---- waiting for the answer ----

void Connection::Watch() {
  if (closed_ || !answering_ || client_left_ || watching_ || buffer_.size() >= kPipelinedBytes) return;
  watching_ = true;
  stream_.expires_never();
  stream_.async_read_some(buffer_.prepare(4096), [self = shared_from_this()](Error_code ec, std::size_t n) {
    self->watching_ = false;
    if (self->closed_) return;
    if (!ec) {
      self->buffer_.commit(n);
    } else if (ec != asio::error::operation_aborted) {
      self->client_left_ = true;
      self->gone_.request_stop();
      if (self->backlog_) return self->Close();
    }
    if (const auto next = std::exchange(self->after_watch_, nullptr)) return (self.get()->*next)();
    self->Watch();
  });
}

Responder Connection::MakeResponder() {
  return Responder(std::make_unique<ConnectionSink>(weak_from_this(), exchange_));
}

void Connection::PostResponse(std::uint64_t exchange, Response response) {
  asio::post(stream_.get_executor(),
             [self = shared_from_this(), exchange, response = std::move(response)]() mutable {
               if (self->closed_ || self->exchange_ != exchange || !self->answering_) return;
               self->OnResponse(std::move(response));
             });
}

void Connection::PostAbandoned(std::uint64_t exchange) {
  asio::post(stream_.get_executor(), [self = shared_from_this(), exchange] {
    if (self->closed_ || self->exchange_ != exchange || !self->answering_) return;
    if (self->client_left_) return self->Close();  // nobody was left to answer
    self->Refuse(kFault);
  });
}

// ---- writing the answer ----

Response Connection::ErrorResponse(const Error& error) const {
  Response response = match_.style ? (*match_.style)(error, *request_) : Problem(error, request_->trace_id);
  if (error.code == ErrorCode::kMethodNotAllowed && !response.headers.Find("Allow"))
    response.headers.Set("Allow", match_.allow);
  return response;
}

void Connection::Refuse(const Error& error, int status) {
  if (error.code == ErrorCode::kInternal)
    spdlog::error("{} {} [{}]: {}", request_->method, request_->path, request_->trace_id, error.message);
  auto response = ErrorResponse(error);
  if (status != 0) response.status = status;
  OnResponse(std::move(response));
}

void Connection::AddGranted(Response& response) const {
  for (const auto& [name, value] : granted_)
    if (!response.headers.Find(name)) response.headers.Set(name, value);
}

void Connection::OnResponse(Response response) {
  if (closed_) return;
  answering_ = false;
  receiver_.reset();
  if (uploading_ && core_.observer) core_.observer->OnUploadEnd();
  uploading_ = false;
  response_ = std::move(response);
  AddGranted(response_);
  // What is left of the body would be taken for the next request.
  close_after_ = close_after_ || response_.close || BodyIsPending() || core_.closing;
  head_ = SerializeHead(response_, {.now = std::time(nullptr),
                                    .close = close_after_,
                                    .trace_id = request_->trace_id,
                                    .content_length = response_.content().size()});
  written_ = 0;
  WriteSlice();
}

void Connection::WriteSlice() {
  const bool bodiless = request_->method == "HEAD" || response_.status == 204 || response_.status == 304;
  const std::string_view content = bodiless ? std::string_view() : std::string_view(response_.content());
  const std::string_view slice = content.substr(std::min(written_, content.size()), kPieceBytes);
  const std::array<asio::const_buffer, 2> buffers{asio::buffer(head_),
                                                  asio::buffer(slice.data(), slice.size())};
  const bool last = written_ + slice.size() >= content.size();
  // A timed stream keeps separate clocks for reading and writing, so a pending Watch is not disturbed.
  stream_.expires_after(Seconds(core_.options.progress_timeout));
  asio::async_write(stream_, buffers,
                    [self = shared_from_this(), last, size = slice.size()](Error_code ec, std::size_t) {
                      if (self->closed_) return;
                      self->head_.clear();
                      self->written_ += size;
                      if (ec) self->client_left_ = true;
                      if (ec || last) return self->AfterWrite();
                      self->WriteSlice();
                    });
}

void Connection::AfterWrite() {
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began_).count();
  if (core_.observer)
    core_.observer->OnRequest(request_->method, RouteLabel(*request_), response_.status, seconds,
                              body_bytes_);
  spdlog::debug("{} {} {} {:.1f} ms [{}]", request_->method, request_->path, response_.status, seconds * 1e3,
                request_->trace_id);
  response_ = {};
  in_request_ = false;
  if (client_left_) return Close();
  const auto next = close_after_ ? &Connection::Linger : &Connection::ReadNext;
  if (!watching_) return (this->*next)();
  after_watch_ = next;
  stream_.cancel();
}

void Connection::Linger() {
  // Closing with unread bytes would reset the connection and could destroy the answer on its way: say that
  // we are done, and read on for a while.
  Error_code ignored;
  stream_.socket().shutdown(tcp::socket::shutdown_send, ignored);
  piece_.resize(kPieceBytes);
  lingered_ = 0;
  const bool refused = BodyIsPending();
  stream_.expires_after(
      Seconds(refused ? core_.options.drain_timeout : std::min(1.0, core_.options.drain_timeout)));
  ReadLingering();
}

void Connection::ReadLingering() {
  stream_.async_read_some(asio::buffer(piece_), [self = shared_from_this()](Error_code ec, std::size_t n) {
    self->lingered_ += n;
    if (ec || self->closed_ || self->lingered_ > self->core_.options.drain_bytes) return self->Close();
    self->ReadLingering();
  });
}

void Connection::Close() {
  if (closed_) return;
  closed_ = true;
  if (uploading_ && core_.observer) core_.observer->OnUploadEnd();
  uploading_ = false;
  if (in_request_ && core_.observer)
    core_.observer->OnRequest(request_->method, RouteLabel(*request_), kClientClosedRequest, 0, body_bytes_);
  if (backlog_) backlog_->broken = true;
  gone_.request_stop();
  stream_.close();
  core_.Remove(this);
}

// ---- answers that go on ----

std::shared_ptr<BodyStream> Connection::PostStream(std::uint64_t exchange, Response head) {
  auto backlog = std::make_shared<Backlog>();
  asio::post(stream_.get_executor(), [self = shared_from_this(), exchange, backlog,
                                      head = std::move(head)]() mutable {
    if (self->closed_ || self->exchange_ != exchange || !self->answering_) {
      backlog->broken = true;
      return;
    }
    if (self->request_->method == "HEAD") {
      backlog->broken = true;
      head.close = true;
      return self->OnResponse(std::move(head));
    }
    self->close_after_ = true;
    self->backlog_ = backlog;
    self->response_ = std::move(head);
    self->AddGranted(self->response_);
    // Without Content-Length the body ends with the connection, which every client understands.
    self->chunks_.push_front(SerializeHead(
        self->response_, {.now = std::time(nullptr), .close = true, .trace_id = self->request_->trace_id}));
    self->WriteChunks();
  });
  return std::make_shared<StreamHandle>(weak_from_this(), exchange, backlog);
}

void Connection::PostChunk(std::uint64_t exchange, std::string bytes) {
  asio::post(stream_.get_executor(),
             [self = shared_from_this(), exchange, bytes = std::move(bytes)]() mutable {
               if (self->closed_ || self->exchange_ != exchange || !self->backlog_) return;
               self->chunks_.push_back(std::move(bytes));
               self->WriteChunks();
             });
}

void Connection::PostStreamEnd(std::uint64_t exchange) {
  asio::post(stream_.get_executor(), [self = shared_from_this(), exchange] {
    if (self->closed_ || self->exchange_ != exchange || !self->backlog_) return;
    self->stream_ended_ = true;
    self->WriteChunks();
  });
}

void Connection::WriteChunks() {
  if (closed_ || writing_chunks_) return;
  if (chunks_.empty()) {
    if (stream_ended_) {
      answering_ = false;
      AfterWrite();
    }
    return;
  }
  writing_chunks_ = true;
  stream_.expires_after(Seconds(core_.options.progress_timeout));
  asio::async_write(stream_, asio::buffer(chunks_.front()),
                    [self = shared_from_this()](Error_code ec, std::size_t) {
                      self->writing_chunks_ = false;
                      if (ec || self->closed_) return self->Close();
                      // The head went first and was not counted.
                      const auto size = self->chunks_.front().size();
                      self->chunks_.pop_front();
                      if (self->backlog_)
                        self->backlog_->bytes -= std::min<std::size_t>(size, self->backlog_->bytes);
                      self->WriteChunks();
                    });
}

}  // namespace unmask::http
