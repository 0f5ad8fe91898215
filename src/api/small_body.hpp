// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <utility>

#include "http/router.hpp"

namespace unmask {

/// Gathers a request's body, which the route's limit keeps small, and answers from the whole of it.
class SmallBody final : public http::BodyReceiver {
 public:
  using Complete = std::function<http::Response(const std::string& body)>;
  explicit SmallBody(Complete on_complete) : on_complete_(std::move(on_complete)) {}
  Result<void> Write(std::string_view bytes) override {
    body_.append(bytes);
    return {};
  }
  void Finish(http::Responder responder) override { responder.Send(on_complete_(body_)); }

 private:
  Complete on_complete_;
  std::string body_;
};

}  // namespace unmask
