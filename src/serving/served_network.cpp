// SPDX-License-Identifier: Apache-2.0
#include "serving/served_network.hpp"

#include <algorithm>
#include <cmath>
#include <future>
#include <mutex>
#include <optional>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "model/model_network.hpp"

namespace unmask::serving {
namespace {

tl::unexpected<Error> NotServable(const ModelCard& card, const std::string& why) {
  return Fail(ErrorCode::kInternal, fmt::format("{}:{} cannot be served: {}", card.name, card.version, why),
              "leave it out of --serve-model");
}

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

ServedNetwork::ServedNetwork(ModelCard card, std::unique_ptr<Network> network, std::size_t batch)
    : card_(std::move(card)), network_(std::move(network)), batch_(batch) {}

Result<std::shared_ptr<const ServedNetwork>> ServedNetwork::Load(ModelCard card,
                                                                 const NetworkOptions& options) {
  auto loaded = LoadModelNetwork(card, options);
  if (!loaded) return tl::unexpected(loaded.error());
  return Create(std::move(card), std::move(loaded->network), loaded->batch);
}

Result<std::shared_ptr<const ServedNetwork>> ServedNetwork::Create(ModelCard card,
                                                                   std::unique_ptr<Network> network,
                                                                   std::size_t batch) {
  std::shared_ptr<ServedNetwork> served(new ServedNetwork(std::move(card), std::move(network), batch));
  if (auto probed = served->Probe(); !probed) return tl::unexpected(probed.error());
  return served;
}

Result<void> ServedNetwork::Probe() {
  const auto shape = network_->input_shape();
  if (shape.size() < 2) return NotServable(card_, fmt::format("its input has the shape {}", shape));
  input_.name = card_.input.name;
  for (auto at = shape.begin() + 1; at != shape.end(); ++at) {
    if (*at < 1) return NotServable(card_, fmt::format("its input has the open shape {}", shape));
    input_.shape.push_back(static_cast<std::size_t>(*at));
    input_.size *= static_cast<std::size_t>(*at);
  }
  Tensor zeros{.name = "", .shape = {1}, .values = std::vector<float>(input_.size)};
  zeros.shape.insert(zeros.shape.end(), input_.shape.begin(), input_.shape.end());
  const auto outputs = network_->Infer(zeros);
  if (!outputs) return tl::unexpected(outputs.error());
  for (const Tensor& output : *outputs) {
    if (output.shape.empty() || output.shape.front() != 1)
      return NotServable(
          card_, fmt::format("its output '{}' has the shape {} for one instance", output.name, output.shape));
    TensorFacts facts{.name = output.name.empty() ? card_.output_name : output.name,
                      .shape = {output.shape.begin() + 1, output.shape.end()},
                      .size = output.values.size()};
    outputs_.push_back(std::move(facts));
  }
  return {};
}

Result<std::vector<Tensor>> ServedNetwork::Predict(std::span<const float> values, std::size_t count) const {
  const std::size_t step = batch_ == 0 ? count : batch_;
  const std::size_t parts = (count + step - 1) / step;
  const auto gathered = std::make_shared<Gathered>(parts);
  auto done = gathered->promise.get_future();
  for (std::size_t part = 0; part < parts; ++part) {
    const auto some = values.subspan(part * step * input_.size);
    Tensor input{.name = "", .shape = {step}, .values = {}};
    input.shape.insert(input.shape.end(), input_.shape.begin(), input_.shape.end());
    const std::size_t wanted = step * input_.size;
    input.values.assign(some.begin(),
                        some.begin() + static_cast<std::ptrdiff_t>(std::min(some.size(), wanted)));
    input.values.resize(wanted);  // a batch that the last instances do not fill ends with zeros
    network_->Start(std::move(input),
                    [gathered, part](auto outputs) { gathered->Put(part, std::move(outputs)); });
  }
  done.wait();
  if (gathered->error) return tl::unexpected(*gathered->error);

  std::vector<Tensor> joined;
  for (std::size_t i = 0; i < outputs_.size(); ++i) {
    const TensorFacts& facts = outputs_[i];
    Tensor tensor{.name = facts.name, .shape = {count}, .values = {}};
    tensor.shape.insert(tensor.shape.end(), facts.shape.begin(), facts.shape.end());
    for (const auto& part : gathered->parts) {
      if (part.size() != outputs_.size() || part[i].values.size() != step * facts.size)
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

std::vector<std::shared_ptr<const ServedNetwork>> ModelSet::Versions(std::string_view name) const {
  std::vector<std::shared_ptr<const ServedNetwork>> versions;
  for (const auto& network : networks_)
    if (network->card().name == name) versions.push_back(network);
  std::sort(versions.begin(), versions.end(),
            [](const auto& a, const auto& b) { return a->card().version < b->card().version; });
  return versions;
}

std::shared_ptr<const ServedNetwork> ModelSet::Find(std::string_view name, std::string_view version) const {
  const auto versions = Versions(name);
  if (versions.empty()) return nullptr;
  if (version.empty()) return versions.back();
  for (const auto& network : versions)
    if (std::to_string(network->card().version) == version) return network;
  return nullptr;
}

}  // namespace unmask::serving
