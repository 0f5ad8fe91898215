// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "unmask/engine.hpp"
#include "unmask/error.hpp"

namespace unmask {

/// Dense 32-bit floats in row-major order.
struct Tensor {
  std::string name;  ///< of the output; ignored for inputs
  std::vector<std::size_t> shape;
  std::vector<float> values;
};

/// A loaded network with one input. Thread-safe: calls share a pool of requests and wait for a free one.
class Network {
 public:
  using Done = std::function<void(Result<std::vector<Tensor>>)>;

  virtual ~Network() = default;

  /// Computes all outputs, in the order of the file. kBadRequest when the shape does not fit the network.
  virtual Result<std::vector<Tensor>> Infer(const Tensor& input) = 0;

  /// The same without waiting for the result: blocks only while every request of the pool is busy. `done` is
  /// called once, on a thread of the engine, of the caller, or of who requests the stop, and must be quick
  /// and not throw. A network that waits for something elsewhere gives kCancelled soon after `stop`; one that
  /// computes here takes no notice, since it ends soon anyway. Pending calls end before the destructor
  /// returns.
  virtual void Start(Tensor input, std::stop_token stop, Done done) = 0;

  /// The input's dimensions as the engine takes them, -1 where any number fits. Empty: not known.
  virtual std::vector<std::int64_t> input_shape() const { return {}; }

  /// Requests that compute at the same time.
  virtual std::size_t width() const = 0;
};

struct NetworkOptions {
  std::string device = "CPU";
  int threads = 0;  ///< 0: one for each core
  bool throughput =
      true;  ///< several requests at once, one thread each; false: one request, all threads (latency)
  /// Inputs of one call, the first dimension, when it is the same for all: the engine then need not plan anew
  /// for each new size. 0: as the file says, often any.
  std::size_t batch = 0;
  /// Where what the engine compiles is kept for the next start (CompiledCache); empty: nowhere.
  std::filesystem::path cache;
  /// Hash of the network's files, which the caller has checked. Without it nothing is kept.
  std::string identity;
  /// Ends the wait for a network elsewhere, or a Keras file's reader, while loading; not for longer.
  std::stop_token stop;
  /// For who would load it again later: a network that runs elsewhere and cannot be asked is then kOverloaded
  /// when it is loaded, and whatever its server answers with 5xx, or breaks off, before its first answer.
  bool may_be_starting = false;
  /// Models whose networks run elsewhere although their cards say otherwise; see LoadModelNetwork().
  std::vector<EngineChoice> engines;
};

/// Reads and compiles a network: ONNX, OpenVINO IR, TensorFlow Lite, the folder of a TensorFlow SavedModel,
/// or Keras, which ReadKerasConfined() reads in another process. Computes in float32 (reduced precision would
/// change scores from machine to machine). Other content is trusted: check its hash first, or let nobody name
/// it but who runs the program. kNotFound, kInternal with the engine's words, or as ReadKerasConfined().
Result<std::unique_ptr<Network>> LoadNetwork(const std::filesystem::path& file,
                                             const NetworkOptions& options);

/// The engine's version, e.g. "2026.4.1".
std::string EngineVersion();

}  // namespace unmask
