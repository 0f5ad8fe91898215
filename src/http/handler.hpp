// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "http/message.hpp"
#include "unmask/error.hpp"

namespace unmask::http {

/// An answer that goes on: server-sent events. Ends, and closes the connection, when the last handle goes.
/// Thread-safe.
class BodyStream {
 public:
  virtual ~BodyStream() = default;

  /// Queues bytes; false when the client is gone or reads too slowly to keep up (more than 1 MiB waits).
  virtual bool Write(std::string bytes) = 0;
};

/// Where answers go; the connection implements it.
class ResponseSink {
 public:
  virtual ~ResponseSink() = default;
  virtual void Respond(Response response) = 0;
  virtual std::shared_ptr<BodyStream> Stream(Response head) = 0;
};

/// The promise to answer one request, now or later, from any thread. A waiting answer costs no thread. Copies
/// share the promise; the first answer counts, further ones are ignored. When the last copy goes without an
/// answer, the client gets 500.
class Responder {
 public:
  explicit Responder(std::unique_ptr<ResponseSink> sink) : sink_(std::move(sink)) {}

  void Send(Response response) const { sink_->Respond(std::move(response)); }

  /// Sends status and headers, and leaves the body open. Null when the request has been answered.
  std::shared_ptr<BodyStream> Stream(Response head) const { return sink_->Stream(std::move(head)); }

 private:
  std::shared_ptr<ResponseSink> sink_;
};

/// Takes a body while it arrives. Made before the first byte is read, destroyed when the client goes away.
/// Calls come one after another, from threads of the handler pool, and may block on the disk.
class BodyReceiver {
 public:
  virtual ~BodyReceiver() = default;

  /// The next bytes. An error is answered at once and the rest of the body is not read.
  virtual Result<void> Write(std::string_view bytes) = 0;

  /// The body is complete: answers now or later.
  virtual void Finish(Responder responder) = 0;
};

/// Calls of a handler may overlap. An exception becomes 500.
using Handler = std::function<void(const RequestPtr&, Responder)>;

/// Looks at the request before its body is read: gives the receiver, or an error that is answered at once.
using BodyHandler = std::function<Result<std::unique_ptr<BodyReceiver>>(const RequestPtr&)>;

/// Looks at every request of a listener before it is routed. An error is answered in its place, worded
/// as the listener words unknown paths. Otherwise gives header fields for the answer, which has them unless
/// its route sets them. Called on network threads, at the same time: must not block.
using Gate = std::function<Result<Headers>(const Request&)>;

/// How a service words its errors. The default is http/problem.hpp.
using ErrorStyle = std::function<Response(const Error&, const Request&)>;

}  // namespace unmask::http
