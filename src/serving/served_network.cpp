// SPDX-License-Identifier: Apache-2.0
#include "serving/served_network.hpp"

#include <algorithm>
#include <cmath>
#include <future>
#include <mutex>
#include <optional>

#include <fmt/format.h>

namespace unmask::serving {
namespace {

/// The outputs of parts that are computed in several calls, which end in any order.
struct Gathered {
  explicit Gathered(std::size_t count) : parts(count), missing(count) {}

  void Put(std::size_t part, Result<std::vector<Tensor>> outputs) {
    const std::lock_guard lock(mutex);
    if (outputs)
      parts[part] = std::move(*outputs);
    else if (!error)
      error = outputs.error();
    if (--missing == 0) promise.set_value();
  }

  std::mutex mutex;
  std::vector<std::vector<Tensor>> parts;
  std::size_t missing;
  std::optional<Error> error;
  std::promise<void> promise;
};

}  // namespace

Result<std::vector<Tensor>> ServedNetwork::Predict(std::span<const float> values, std::size_t count,
                                                   const std::stop_token& stop) const {
  const std::size_t step = scorer_->batch() == 0 ? count : scorer_->batch();
  const std::size_t parts = (count + step - 1) / step;
  const auto gathered = std::make_shared<Gathered>(parts);
  auto done = gathered->promise.get_future();
  for (std::size_t part = 0; part < parts; ++part) {
    const auto some = values.subspan(part * step * input().size);
    Tensor tensor{.name = "", .shape = {step}, .values = {}};
    tensor.shape.insert(tensor.shape.end(), input().shape.begin(), input().shape.end());
    const std::size_t wanted = step * input().size;
    tensor.values.assign(some.begin(),
                         some.begin() + static_cast<std::ptrdiff_t>(std::min(some.size(), wanted)));
    tensor.values.resize(wanted);  // a batch that the last instances do not fill ends with zeros
    scorer_->network().Start(std::move(tensor), stop,
                             [gathered, part](auto given) { gathered->Put(part, std::move(given)); });
  }
  done.wait();
  if (gathered->error) return tl::unexpected(*gathered->error);

  std::vector<Tensor> joined;
  for (std::size_t i = 0; i < outputs().size(); ++i) {
    const TensorFacts& facts = outputs()[i];
    Tensor tensor{.name = facts.name, .shape = {count}, .values = {}};
    tensor.shape.insert(tensor.shape.end(), facts.shape.begin(), facts.shape.end());
    for (const auto& part : gathered->parts) {
      if (part.size() != outputs().size() || part[i].values.size() != step * facts.size)
        return Fail(ErrorCode::kInternal,
                    fmt::format("the network gave another number of values for '{}' than at "
                                "the start",
                                facts.name));
      tensor.values.insert(tensor.values.end(), part[i].values.begin(), part[i].values.end());
    }
    tensor.values.resize(count * facts.size);
    if (!std::all_of(tensor.values.begin(), tensor.values.end(), [](float v) { return std::isfinite(v); }))
      return Fail(ErrorCode::kInternal, "the network gave a value that is not finite");
    joined.push_back(std::move(tensor));
  }
  return joined;
}

}  // namespace unmask::serving
