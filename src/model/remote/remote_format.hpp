// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "model/network.hpp"
#include "model/remote/remote_engine.hpp"
#include "unmask/error.hpp"

namespace unmask {

/// The numbers that a server takes. What is sent is converted; answers may be FP16, FP32 or FP64.
enum class RemoteType { kFp32, kFp16, kUint8 };

/// A model's one input as the server states it.
struct RemoteInput {
  std::string name;
  RemoteType type = RemoteType::kFp32;
  std::vector<std::int64_t> shape;  ///< -1 where any number fits; the first is the number of instances
};

/// One request.
struct RemoteQuestion {
  std::string path;
  std::string body;
  std::vector<std::string> headers;  ///< "Name: value"
  std::string content_type;
};

/// What a protocol says, apart from how it is carried. Pure. Errors of the Read functions are kInternal, for
/// a server that does not do what its protocol promises; they never name its address.
class RemoteFormat {
 public:
  virtual ~RemoteFormat() = default;

  /// Where the model is described.
  virtual std::string MetadataPath() const = 0;
  virtual Result<RemoteInput> ReadMetadata(std::string_view body) const = 0;

  /// kBadRequest when the values cannot be sent in the server's type.
  virtual Result<RemoteQuestion> WriteQuestion(const RemoteInput& input, const Tensor& values) const = 0;

  /// Every output, finite, with `count` as its first dimension. `header_length`: the answer's header
  /// Inference-Header-Content-Length; null without one.
  virtual Result<std::vector<Tensor>> ReadAnswer(std::string_view body, const std::string* header_length,
                                                 std::size_t count) const = 0;
};

std::unique_ptr<RemoteFormat> MakeKserveFormat(const RemoteEngine& engine);
std::unique_ptr<RemoteFormat> MakeTfServingFormat(const RemoteEngine& engine);

/// The server's words in the body of an error, {"error": "..."}; of anything else its first characters.
/// Printable and short.
std::string RemoteWords(std::string_view body);

/// kBadRequest unless a tensor of `shape` fits what the server takes.
Result<void> CheckRemoteShape(const RemoteInput& input, const std::vector<std::size_t>& shape);

}  // namespace unmask
