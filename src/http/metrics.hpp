// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "http/server.hpp"

namespace prometheus {
class Registry;
}

namespace unmask::http {

/// The numbers at /metrics: those of HTTP and of this process here, others through registry(). Thread-safe.
class Metrics : public Observer {
 public:
  Metrics();
  ~Metrics() override;

  /// The Prometheus text format, version 0.0.4.
  std::string Serialize() const;

  /// For other rooms to add families to; lives as long as this.
  prometheus::Registry& registry();

  void OnRequest(const std::string& method, const std::string& route, int status, double seconds,
                 std::uint64_t body_bytes) override;
  void OnUploadBegin() override;
  void OnUploadEnd() override;
  void OnWebSocketBegin() override;
  void OnWebSocketEnd() override;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// The value of a label as the text format has it between quotation marks.
std::string EscapedLabel(const std::string& value);

/// Upper bounds from `least` to `most`, `factor` apart, rounded to two digits.
std::vector<double> LogBuckets(double least, double most, double factor);

}  // namespace unmask::http
