// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/json_tensors.hpp"
#include "model/served_model.hpp"
#include "serving/served_network.hpp"

namespace unmask::serving {

/// The bodies of KServe's Open Inference Protocol, version 2, over HTTP, with Triton's extension for binary
/// tensors: the JSON is followed by the tensors' values, little-endian and row by row, and a header says how
/// long the JSON is. Pure. Errors are kBadRequest.
inline constexpr const char* kHeaderLength = "Inference-Header-Content-Length";

/// A question to /infer.
struct KserveQuestion {
  struct Wanted {
    std::size_t output = 0;  ///< index in ServedNetwork::outputs()
    bool binary = false;
  };
  std::optional<std::string> id;
  std::vector<float> values;
  std::size_t count = 0;  ///< instances
  std::vector<Wanted> wanted;
};

/// `header_length`: the field kHeaderLength as it was sent; null without one. `max_batch`: instances.
Result<KserveQuestion> ReadKserveQuestion(std::string_view body, const std::string* header_length,
                                          const ServedNetwork& network, std::size_t max_batch);

struct KserveAnswer {
  std::string body;
  std::optional<std::size_t> header_length;  ///< with binary tensors
};

KserveAnswer WriteKserveAnswer(const KserveQuestion& question, const std::vector<Tensor>& outputs,
                               const ModelCard& card);

/// Name, versions, platform, inputs and outputs of a model; of `versions` those that are AVAILABLE are named.
std::string WriteKserveMetadata(const ServedNetwork& network, const std::vector<VersionStatus>& versions);

}  // namespace unmask::serving
