// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <openvino/openvino.hpp>

#include "model/network.hpp"

namespace unmask {
namespace {

ov::Core& Core() {
  static ov::Core core;
  return core;
}

/// One infer request and the call that it serves.
struct Slot {
  ov::InferRequest request;
  Tensor input;  // the request reads these values while it computes
  Network::Done done;
};

class OpenVinoNetwork final : public Network {
 public:
  explicit OpenVinoNetwork(ov::CompiledModel model) : model_(std::move(model)) {
    const auto count = std::max(1u, model_.get_property(ov::optimal_number_of_infer_requests));
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
    std::optional<Result<std::vector<Tensor>>> result;
    std::mutex mutex;
    std::condition_variable ready;
    Start(input, [&](Result<std::vector<Tensor>> outputs) {
      const std::lock_guard lock(mutex);
      result = std::move(outputs);
      ready.notify_one();
    });
    std::unique_lock lock(mutex);
    ready.wait(lock, [&] { return result.has_value(); });
    return std::move(*result);
  }

  void Start(Tensor input, Done done) override {
    Slot* slot = Take();
    slot->input = std::move(input);
    slot->done = std::move(done);
    try {
      slot->request.set_input_tensor(
          ov::Tensor(ov::element::f32, ov::Shape(slot->input.shape), slot->input.values.data()));
      slot->request.start_async();
    } catch (const std::exception& e) {
      Answer(*slot,
             Fail(ErrorCode::kBadRequest, fmt::format("the network does not take an input of shape [{}]: {}",
                                                      fmt::join(slot->input.shape, ","), e.what())));
    }
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

  void Finish(Slot& slot, const std::exception_ptr& failure) {
    try {
      if (failure) std::rethrow_exception(failure);
      std::vector<Tensor> outputs;
      for (std::size_t i = 0; i < model_.outputs().size(); ++i) {
        const ov::Tensor tensor = slot.request.get_output_tensor(i);
        const float* values = tensor.data<const float>();
        const auto& names = model_.output(i).get_names();
        outputs.push_back(
            {names.empty() ? "" : *names.begin(), tensor.get_shape(), {values, values + tensor.get_size()}});
      }
      Answer(slot, std::move(outputs));
    } catch (const std::exception& e) {
      Answer(slot, Fail(ErrorCode::kInternal, fmt::format("the network failed: {}", e.what())));
    }
  }

  void Answer(Slot& slot, Result<std::vector<Tensor>> outputs) {
    const Done done = std::move(slot.done);
    done(std::move(outputs));
    // Notifies under the lock: the destructor may run as soon as the last slot is idle.
    const std::lock_guard lock(mutex_);
    idle_.push_back(&slot);
    wake_.notify_all();
  }

  ov::CompiledModel model_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<Slot*> idle_;
  std::vector<Slot> slots_;
};

}  // namespace

Result<std::unique_ptr<Network>> LoadNetwork(const std::filesystem::path& file,
                                             const NetworkOptions& options) {
  if (!std::filesystem::is_regular_file(file))
    return Fail(ErrorCode::kNotFound, fmt::format("no network at {}", file.string()),
                "run tools/setup.sh or give another path");
  try {
    ov::AnyMap properties = {
        {ov::hint::performance_mode.name(),
         options.throughput ? ov::hint::PerformanceMode::THROUGHPUT : ov::hint::PerformanceMode::LATENCY},
        {ov::hint::inference_precision.name(), ov::element::f32},
    };
    if (options.device == "CPU") {
      const int threads = options.threads > 0
                              ? options.threads
                              : static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
      properties[ov::inference_num_threads.name()] = threads;
      // One thread for each stream: batches compute side by side, and a sum never depends on how work was
      // divided.
      if (options.throughput) properties[ov::num_streams.name()] = ov::streams::Num(threads);
    }
    return std::make_unique<OpenVinoNetwork>(Core().compile_model(file.string(), options.device, properties));
  } catch (const std::exception& e) {
    return Fail(ErrorCode::kInternal,
                fmt::format("cannot load the network {} on {}: {}", file.string(), options.device, e.what()),
                "run `unmask doctor`");
  }
}

std::string EngineVersion() { return ov::get_openvino_version().buildNumber; }

}  // namespace unmask
