// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <sstream>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <openvino/openvino.hpp>
#include <spdlog/spdlog.h>

#include "base/thread_pool.hpp"
#include "model/compiled_cache.hpp"
#include "model/import/confined_keras.hpp"
#include "model/keras/keras_model.hpp"
#include "model/network.hpp"

namespace unmask {
namespace {

ov::Core& Core() {
  static ov::Core core;
  return core;
}

/// A compiled network and what it was restored from, if it was.
struct Compiled {
  ov::CompiledModel model;
  std::optional<CompiledCache::Entry> source;
};

/// One infer request and the call that it serves.
struct Slot {
  ov::InferRequest request;
  Tensor input;  // the request reads these values while it computes
  Network::Done done;
};

void SetInput(ov::InferRequest& request, const Tensor& input) {
  request.set_input_tensor(ov::Tensor(ov::element::f32, ov::Shape(input.shape), input.values.data()));
}

tl::unexpected<Error> WrongInput(const Tensor& input, const std::exception& e) {
  return Fail(ErrorCode::kBadRequest, fmt::format("the network does not take an input of shape [{}]: {}",
                                                  fmt::join(input.shape, ","), e.what()));
}

tl::unexpected<Error> Failed(const std::exception& e) {
  return Fail(ErrorCode::kInternal, fmt::format("the network failed: {}", e.what()));
}

class OpenVinoNetwork final : public Network {
 public:
  explicit OpenVinoNetwork(Compiled compiled)
      : source_(std::move(compiled.source)), model_(std::move(compiled.model)) {
    // Twice as many as compute at a time: the next one is there when one is done.
    const auto count = 2 * std::max(1u, model_.get_property(ov::optimal_number_of_infer_requests));
    slots_.resize(count);
    for (Slot& slot : slots_) {
      slot.request = model_.create_infer_request();
      slot.request.set_callback([this, &slot](std::exception_ptr failure) { Finish(slot, failure); });
      idle_.push_back(&slot);
    }
  }

  ~OpenVinoNetwork() override {
    std::unique_lock lock(mutex_);
    wake_.wait(lock, [this] { return idle_.size() == slots_.size(); });
  }

  Result<std::vector<Tensor>> Infer(const Tensor& input) override {
    Slot* slot = Take();
    Result<std::vector<Tensor>> result = Compute(*slot, input);
    Release(*slot);
    return result;
  }

  void Start(Tensor input, std::stop_token, Done done) override {
    Slot* slot = Take();
    slot->input = std::move(input);
    slot->done = std::move(done);
    try {
      SetInput(slot->request, slot->input);
      slot->request.start_async();
    } catch (const std::exception& e) {
      Answer(*slot, WrongInput(slot->input, e));
    }
  }

  std::vector<std::int64_t> input_shape() const override {
    std::vector<std::int64_t> shape;
    for (const ov::Dimension& dimension : model_.input().get_partial_shape())
      shape.push_back(dimension.is_static() ? dimension.get_length() : -1);
    return shape;
  }

  std::size_t width() const override { return slots_.size(); }

 private:
  Slot* Take() {
    std::unique_lock lock(mutex_);
    wake_.wait(lock, [this] { return !idle_.empty(); });
    Slot* slot = idle_.back();
    idle_.pop_back();
    return slot;
  }

  /// On the calling thread: no other has to be woken.
  Result<std::vector<Tensor>> Compute(Slot& slot, const Tensor& input) {
    try {
      SetInput(slot.request, input);
    } catch (const std::exception& e) {
      return WrongInput(input, e);
    }
    try {
      slot.request.infer();
      return Outputs(slot);
    } catch (const std::exception& e) {
      return Failed(e);
    }
  }

  void Finish(Slot& slot, const std::exception_ptr& failure) {
    try {
      if (failure) std::rethrow_exception(failure);
      Answer(slot, Outputs(slot));
    } catch (const std::exception& e) {
      Answer(slot, Failed(e));
    }
  }

  std::vector<Tensor> Outputs(Slot& slot) const {
    std::vector<Tensor> outputs;
    for (std::size_t i = 0; i < model_.outputs().size(); ++i) {
      const ov::Tensor tensor = slot.request.get_output_tensor(i);
      const float* values = tensor.data<const float>();
      const auto& names = model_.output(i).get_names();
      outputs.push_back(
          {names.empty() ? "" : *names.begin(), tensor.get_shape(), {values, values + tensor.get_size()}});
    }
    return outputs;
  }

  void Answer(Slot& slot, Result<std::vector<Tensor>> outputs) {
    const Done done = std::move(slot.done);
    done(std::move(outputs));
    Release(slot);
  }

  void Release(Slot& slot) {
    // Notifies under the lock: the destructor may run as soon as the last slot is idle.
    const std::lock_guard lock(mutex_);
    idle_.push_back(&slot);
    wake_.notify_all();
  }

  std::optional<CompiledCache::Entry> source_;  // outlives the model, which may point into it
  ov::CompiledModel model_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<Slot*> idle_;
  std::vector<Slot> slots_;
};

/// What LoadNetwork() gives instead of the engine's words.
struct Refused {
  Error error;
};

/// As the engine's own reader, but throws Refused.
std::shared_ptr<ov::Model> ReadKeras(const std::filesystem::path& file, const std::stop_token& stop) {
  auto model = ReadKerasConfined(file, {.program = {}, .stop = stop});
  if (!model) throw Refused{model.error()};
  return std::move(*model);
}

ov::CompiledModel CompileFile(const std::filesystem::path& file, const NetworkOptions& options,
                              const ov::AnyMap& properties) {
  const bool keras = IsKerasFile(file);
  if (options.batch == 0 && !keras) return Core().compile_model(file.string(), options.device, properties);
  const auto model = keras ? ReadKeras(file, options.stop) : Core().read_model(file.string());
  if (options.batch == 0) return Core().compile_model(model, options.device, properties);
  ov::PartialShape shape = model->input().get_partial_shape();
  shape[0] = static_cast<ov::Dimension::value_type>(options.batch);
  model->reshape(shape);
  return Core().compile_model(model, options.device, properties);
}

Compiled Compile(const std::filesystem::path& file, const NetworkOptions& options,
                 const ov::AnyMap& properties) {
  const CompiledCache cache(options.cache);
  // An accelerator's compiled form may depend on its driver, which the key does not know.
  if (options.cache.empty() || options.identity.empty() || options.device != "CPU")
    return {CompileFile(file, options, properties), std::nullopt};

  std::string key = fmt::format("{} {} {} batch={}", options.identity, EngineVersion(),
                                Core().get_property(options.device, ov::device::full_name), options.batch);
  for (const auto& [name, value] : properties) key += fmt::format(" {}={}", name, value.as<std::string>());
  if (auto compiled = cache.Read(key)) {
    try {
      const std::string_view content = compiled->content();
      const ov::Tensor view(ov::element::u8, {content.size()}, content.data());
      return {Core().import_model(view, options.device, properties), std::move(compiled)};
    } catch (const std::exception& e) {
      spdlog::warn("the compiled form of {} cannot be used and is made anew: {}", file.string(), e.what());
    }
  }
  ov::CompiledModel model = CompileFile(file, options, properties);
  std::ostringstream stream;
  model.export_model(stream);
  cache.Write(key, stream.view());
  return {std::move(model), std::nullopt};
}

/// Whether the engine has a device, so that an absent one is named at the start beside those that there are.
/// Names that choose among devices ("AUTO", "HETERO:GPU,CPU") are left to the engine.
Result<void> CheckDevice(const std::string& device) {
  // Asking for the list loads every plugin, and there is always a CPU.
  if (device == "CPU" || device == "AUTO" || device.find(':') != std::string::npos) return {};
  std::vector<std::string> present;
  try {
    present = Core().get_available_devices();
  } catch (const std::exception& e) {
    return Fail(ErrorCode::kInternal, fmt::format("cannot list the engine's devices: {}", e.what()));
  }
  for (const std::string& name : present)
    if (name == device || name.starts_with(device + ".")) return {};
  return Fail(ErrorCode::kNotFound,
              fmt::format("no device '{}' to compute on (there is: {})", device, fmt::join(present, ", ")),
              "give another one with --device; an NVIDIA GPU is used through a server: docs/gpu.md");
}

}  // namespace

Result<std::unique_ptr<Network>> LoadNetwork(const std::filesystem::path& file,
                                             const NetworkOptions& options) {
  std::error_code ignored;
  const bool saved_model = std::filesystem::is_regular_file(file / "saved_model.pb", ignored);
  if (!saved_model && !std::filesystem::is_regular_file(file, ignored))
    return Fail(ErrorCode::kNotFound, fmt::format("no network at {}", file.string()),
                "run tools/setup.sh or give another path");
  if (auto present = CheckDevice(options.device); !present) return tl::unexpected(present.error());
  try {
    ov::AnyMap properties = {
        {ov::hint::performance_mode.name(),
         options.throughput ? ov::hint::PerformanceMode::THROUGHPUT : ov::hint::PerformanceMode::LATENCY},
        {ov::hint::inference_precision.name(), ov::element::f32},
    };
    if (options.device == "CPU") {
      const int threads = ThreadsFor(options.threads);
      properties[ov::inference_num_threads.name()] = threads;
      // One thread for each stream: batches compute side by side, and a sum never depends on how work was
      // divided.
      if (options.throughput) properties[ov::num_streams.name()] = ov::streams::Num(threads);
    }
    return std::make_unique<OpenVinoNetwork>(Compile(file, options, properties));
  } catch (const Refused& refused) {
    return Fail(refused.error.code,
                fmt::format("cannot load the network {}: {}", file.string(), refused.error.message),
                refused.error.hint);
  } catch (const std::exception& e) {
    return Fail(ErrorCode::kInternal,
                fmt::format("cannot load the network {} on {}: {}", file.string(), options.device, e.what()),
                "run `unmask doctor`");
  }
}

std::string EngineVersion() { return ov::get_openvino_version().buildNumber; }

}  // namespace unmask
