// SPDX-License-Identifier: Apache-2.0
#include "model/remote/remote_network.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <future>
#include <mutex>
#include <optional>
#include <random>
#include <stop_token>
#include <utility>

#include <fmt/format.h>

#include "base/log.hpp"
#include "base/thread_pool.hpp"
#include "client/http_call.hpp"
#include "model/remote/circuit_breaker.hpp"
#include "model/remote/engine_status.hpp"
#include "model/remote/remote_engine.hpp"
#include "model/remote/remote_format.hpp"
#include "model/remote/retry.hpp"

namespace unmask {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kConnections = 4;          // calls at a time
constexpr std::size_t kWaiting = kConnections;   // parts that wait for one of them before Start() does
constexpr std::uint64_t kMaxAnswer = 16 << 20;   // bytes of an answer
constexpr std::uint64_t kMaxMetadata = 1 << 20;  // bytes of a description
constexpr const char* kHeaderLength = "Inference-Header-Content-Length";

/// The parts of one call, which end in any order.
struct Gathered {
  Gathered(std::size_t count, Network::Done then) : parts(count), missing(count), done(std::move(then)) {}

  void Put(std::size_t part, Result<std::vector<Tensor>> outputs) {
    {
      const std::lock_guard lock(mutex);
      if (outputs)
        parts[part] = std::move(*outputs);
      else if (!error)
        error = outputs.error();
      if (--missing > 0) return;
    }
    done(error ? Result<std::vector<Tensor>>(tl::unexpected(*error)) : Join());
  }

  Result<std::vector<Tensor>> Join() {
    std::vector<Tensor> joined = std::move(parts.front());
    for (std::size_t p = 1; p < parts.size(); ++p) {
      for (std::size_t i = 0; i < joined.size(); ++i) {
        Tensor& all = joined[i];
        const bool alike = parts[p].size() == joined.size() && parts[p][i].name == all.name &&
                           std::equal(all.shape.begin() + 1, all.shape.end(), parts[p][i].shape.begin() + 1,
                                      parts[p][i].shape.end());
        if (!alike)
          return Fail(ErrorCode::kInternal,
                      "the remote engine gave different outputs for two parts of a batch");
        all.shape.front() += parts[p][i].shape.front();
        all.values.insert(all.values.end(), parts[p][i].values.begin(), parts[p][i].values.end());
      }
    }
    return joined;
  }

  std::mutex mutex;
  std::vector<std::vector<Tensor>> parts;
  std::size_t missing;
  std::optional<Error> error;
  Network::Done done;
};

/// A part of a call: is computed, or given up while it waits for its turn, but not both.
struct Part {
  Tensor values;
  std::shared_ptr<Gathered> gathered;
  std::size_t index = 0;
  std::stop_token stop;
  std::atomic<bool> begun = false;
  std::optional<std::stop_callback<std::function<void()>>> on_stop;

  /// True for the first who asks.
  bool Begin() { return !begun.exchange(true); }
};

double Seconds(Clock::duration duration) { return std::chrono::duration<double>(duration).count(); }

double RandomShare() {
  thread_local std::minstd_rand engine(std::random_device{}());
  return std::uniform_real_distribution<double>(0, 1)(engine);
}

class RemoteNetwork;

/// Those that RemoteEngines() tells of.
struct Alive {
  std::mutex mutex;
  std::vector<const RemoteNetwork*> networks;

  static Alive& Get() {
    static Alive alive;
    return alive;
  }
};

class RemoteNetwork final : public Network {
 public:
  RemoteNetwork(const ModelCard& card, RemoteEngine engine, bool may_be_starting)
      : label_(fmt::format("{}:{}", card.name, card.version)),
        engine_(std::move(engine)),
        format_(engine_.protocol == RemoteEngine::Protocol::kKserveV2 ? MakeKserveFormat(engine_)
                                                                      : MakeTfServingFormat(engine_)),
        card_shape_{-1, 3, card.input.height, card.input.width},
        may_be_starting_(may_be_starting),
        breaker_({.failures = engine_.failures,
                  .pause = std::chrono::duration_cast<Clock::duration>(
                      std::chrono::duration<double>(engine_.pause))}),
        pool_(kConnections, kConnections + kWaiting) {
    const std::lock_guard lock(Alive::Get().mutex);
    Alive::Get().networks.push_back(this);
  }

  ~RemoteNetwork() override {
    {
      const std::lock_guard lock(Alive::Get().mutex);
      std::erase(Alive::Get().networks, this);
    }
    stop_.request_stop();
    std::unique_lock lock(mutex_);
    wake_.wait(lock, [this] { return running_ == 0; });
  }

  Result<void> Connect(const std::stop_token& stop) {
    const auto input = Metadata(Clock::now() + ToClock(engine_.deadline), stop);
    if (input)
      return CheckRemoteShape(
          *input, {1, static_cast<std::size_t>(card_shape_[1]), static_cast<std::size_t>(card_shape_[2]),
                   static_cast<std::size_t>(card_shape_[3])});
    if (input.error().code != ErrorCode::kOverloaded || may_be_starting_)
      return tl::unexpected(input.error());
    LogWarning("{}: {}; it is asked again when there is something to compute", label_, input.error().message);
    return {};
  }

  Result<std::vector<Tensor>> Infer(const Tensor& input) override {
    std::promise<Result<std::vector<Tensor>>> promise;
    auto future = promise.get_future();
    Start(input, {}, [&promise](auto outputs) { promise.set_value(std::move(outputs)); });
    return future.get();
  }

  void Start(Tensor input, std::stop_token stop, Done done) override {
    const std::size_t count = input.shape.empty() ? 0 : input.shape.front();
    if (count == 0) return done(Fail(ErrorCode::kBadRequest, "the network takes at least one input"));
    const std::size_t step = static_cast<std::size_t>(engine_.max_batch);
    const std::size_t size = input.values.size() / count;
    const std::size_t parts = (count + step - 1) / step;
    const auto gathered = std::make_shared<Gathered>(parts, std::move(done));
    for (std::size_t index = 0; index < parts; ++index) {
      const std::size_t first = index * step;
      const std::size_t some = std::min(step, count - first);
      const auto part = std::make_shared<Part>();
      part->gathered = gathered;
      part->index = index;
      part->stop = stop;
      part->values.shape = input.shape;
      part->values.shape.front() = some;
      if (parts == 1)
        part->values.values = std::move(input.values);
      else
        part->values.values.assign(input.values.begin() + static_cast<std::ptrdiff_t>(first * size),
                                   input.values.begin() + static_cast<std::ptrdiff_t>((first + some) * size));
      // Others' calls may hold the connections: who gives up does not wait for them.
      part->on_stop.emplace(stop, [this, waiting = part.get()] {
        if (waiting->Begin()) waiting->gathered->Put(waiting->index, GivenUp());
      });
      Submit(part);
    }
  }

  std::vector<std::int64_t> input_shape() const override {
    const std::lock_guard lock(mutex_);
    return input_ ? input_->shape : card_shape_;
  }

  std::size_t width() const override { return kConnections; }

  EngineStatus status() const {
    return {.model = label_,
            .protocol = std::string(ProtocolName(engine_.protocol)),
            .state = breaker_.state(Clock::now()),
            .answered = answered_,
            .failed = failed_,
            .refused = refused_,
            .retries = retries_,
            .seconds = static_cast<double>(microseconds_) / 1e6};
  }

 private:
  static Clock::duration ToClock(double seconds) {
    return std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
  }

  tl::unexpected<Error> GivenUp() const {
    return Fail(ErrorCode::kCancelled,
                fmt::format("the call of the remote engine of {} was given up", label_));
  }

  /// Waits while enough wait already, and no longer than the part's caller does.
  void Submit(std::shared_ptr<Part> part) {
    {
      std::unique_lock lock(mutex_);
      if (!wake_.wait(lock, part->stop, [this] { return running_ < kConnections + kWaiting; })) return;
      ++running_;
    }
    // The pool holds as many as may run or wait.
    pool_.TrySubmit([this, part = std::move(part)]() mutable {
      if (part->Begin()) part->gathered->Put(part->index, Call(part->values, part->stop));
      part.reset();
      // Notifies under the lock: the destructor may run as soon as none runs.
      const std::lock_guard lock(mutex_);
      --running_;
      wake_.notify_all();
    });
  }

  tl::unexpected<Error> Unavailable(const std::string& what) const {
    return Fail(ErrorCode::kOverloaded, fmt::format("the remote engine of {} {}", label_, what),
                "try again later; the server's log has the engine's address and more");
  }

  Error Explain(const HttpFailure& failure, const std::string& url) const {
    using Kind = HttpFailure::Kind;
    if (failure.kind != Kind::kCancelled) LogWarning("{}: {}: {}", label_, url, failure.detail);
    switch (failure.kind) {
      case Kind::kCancelled:
        return GivenUp().value();
      case Kind::kTooLarge:
        return {ErrorCode::kInternal,
                fmt::format("the remote engine of {} answered with too many bytes", label_), "", ""};
      case Kind::kNotHttp:
        return {ErrorCode::kInternal, fmt::format("the remote engine of {} does not speak HTTP", label_),
                "see engine.url in model.json, or --engine", ""};
      case Kind::kIncomplete:
        if (MayBeStarting()) return Unavailable("broke off its answer").value();
        return {ErrorCode::kInternal,
                fmt::format("the remote engine of {} broke off its answer after {} bytes", label_,
                            failure.received),
                "try again later", ""};
      case Kind::kConnectTimeout:
      case Kind::kReadTimeout:
        return Unavailable("did not answer in time").value();
      case Kind::kResolve:
        return Unavailable("has a host name without an address").value();
      default:
        return Unavailable("cannot be reached").value();
    }
  }

  /// One call with its retries; an answer of status 200, or why there is none.
  Result<HttpAnswer> Ask(HttpCall call, Clock::time_point deadline, const std::stop_token& stop) {
    const RetryOptions retry{.attempts = engine_.attempts};
    for (int made = 1;; ++made) {
      call.deadline = Seconds(deadline - Clock::now());
      if (call.deadline <= 0) return Unavailable("did not answer in time");
      auto answer = caller_.Call(call, stop);
      if (answer && answer->status == 200) return std::move(*answer);
      const bool again = answer ? IsRetryable(answer->status) : IsRetryable(answer.error());
      const std::string* after = answer ? answer->Find("Retry-After") : nullptr;
      const auto pause =
          again ? PauseBeforeRetry(retry, made, after, Seconds(deadline - Clock::now()), RandomShare())
                : std::nullopt;
      if (!pause)
        return tl::unexpected(answer ? Refused(*answer, call.url) : Explain(answer.error(), call.url));
      if (!Pause(*pause, stop)) return GivenUp();
      ++retries_;
    }
  }

  Error Refused(const HttpAnswer& answer, const std::string& url) const {
    const std::string words = RemoteWords(answer.body);
    LogWarning("{}: {} answered {}: {}", label_, url, answer.status, words);
    if (IsRetryable(answer.status)) return Unavailable("has too much to do").value();
    if ((answer.status >= 502 && answer.status <= 504) || (answer.status >= 500 && MayBeStarting()))
      return Unavailable(fmt::format("is not there (status {})", answer.status)).value();
    return {ErrorCode::kInternal,
            fmt::format("the remote engine of {} answered {}: {}", label_, answer.status, words),
            answer.status == 404 ? "is there a model of that name and version?" : "see the engine's own log",
            ""};
  }

  /// Whether a fault of the server may only mean that it is not there yet.
  bool MayBeStarting() const { return may_be_starting_ && answered_ == 0; }

  /// False when the wait ended early.
  static bool Pause(double seconds, const std::stop_token& stop) {
    std::mutex mutex;
    std::unique_lock lock(mutex);
    std::condition_variable_any().wait_for(lock, stop, std::chrono::duration<double>(seconds),
                                           [] { return false; });
    return !stop.stop_requested();
  }

  Result<RemoteInput> Metadata(Clock::time_point deadline, const std::stop_token& stop) {
    {
      const std::lock_guard lock(mutex_);
      if (input_) return *input_;
    }
    HttpCall call{
        .url = engine_.url + format_->MetadataPath(), .timeout = engine_.timeout, .max_answer = kMaxMetadata};
    call.connect_timeout = engine_.connect_timeout;
    const auto answer = Ask(std::move(call), deadline, stop);
    if (!answer) return tl::unexpected(answer.error());
    auto input = format_->ReadMetadata(answer->body);
    if (!input) return tl::unexpected(input.error());
    const std::lock_guard lock(mutex_);
    input_ = std::move(*input);
    return *input_;
  }

  Result<std::vector<Tensor>> Predict(const Tensor& values, const std::stop_token& stop) {
    const auto deadline = Clock::now() + ToClock(engine_.deadline);
    const auto input = Metadata(deadline, stop);
    if (!input) return tl::unexpected(input.error());
    if (auto fits = CheckRemoteShape(*input, values.shape); !fits) return tl::unexpected(fits.error());
    const auto question = format_->WriteQuestion(*input, values);
    if (!question) return tl::unexpected(question.error());
    HttpCall call{.url = engine_.url + question->path,
                  .body = &question->body,
                  .content_type = question->content_type,
                  .headers = question->headers,
                  .timeout = engine_.timeout,
                  .max_answer = kMaxAnswer};
    call.connect_timeout = engine_.connect_timeout;
    const auto answer = Ask(std::move(call), deadline, stop);
    if (!answer) return tl::unexpected(answer.error());
    auto outputs = format_->ReadAnswer(answer->body, answer->Find(kHeaderLength), values.shape.front());
    if (!outputs) LogWarning("{}: {}: {}", label_, engine_.url, outputs.error().message);
    return outputs;
  }

  /// Ends early when its caller gives up, or this network goes.
  Result<std::vector<Tensor>> Call(const Tensor& values, const std::stop_token& caller) {
    std::stop_source either;
    const std::stop_callback by_caller(caller, [&either] { either.request_stop(); });
    const std::stop_callback by_network(stop_.get_token(), [&either] { either.request_stop(); });
    const auto began = Clock::now();
    if (!breaker_.Allow(began)) {
      ++refused_;
      return Unavailable(fmt::format("has failed {} times in a row and is left alone for {:.1f} s",
                                     engine_.failures, Seconds(breaker_.Remaining(began))));
    }
    auto outputs = Predict(values, either.get_token());
    // What was our own fault, or given up, says nothing of the server.
    if (!outputs &&
        (outputs.error().code == ErrorCode::kCancelled || outputs.error().code == ErrorCode::kBadRequest)) {
      breaker_.Dropped();
      return outputs;
    }
    microseconds_ += static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - began).count());
    if (outputs) {
      ++answered_;
      breaker_.Succeeded();
    } else {
      ++failed_;
      breaker_.Failed(Clock::now());
    }
    return outputs;
  }

  const std::string label_;
  const RemoteEngine engine_;
  const std::unique_ptr<RemoteFormat> format_;
  const std::vector<std::int64_t> card_shape_;
  const bool may_be_starting_;
  CircuitBreaker breaker_;
  HttpCaller caller_;
  std::stop_source stop_;
  std::atomic<std::uint64_t> answered_ = 0;
  std::atomic<std::uint64_t> failed_ = 0;
  std::atomic<std::uint64_t> refused_ = 0;
  std::atomic<std::uint64_t> retries_ = 0;
  std::atomic<std::uint64_t> microseconds_ = 0;
  mutable std::mutex mutex_;
  std::condition_variable_any wake_;
  std::size_t running_ = 0;  // parts that run or wait
  std::optional<RemoteInput> input_;
  ThreadPool pool_;  // last: its threads end before what they use
};

}  // namespace

std::vector<EngineStatus> RemoteEngines() {
  const std::lock_guard lock(Alive::Get().mutex);
  std::vector<EngineStatus> all;
  for (const RemoteNetwork* network : Alive::Get().networks) all.push_back(network->status());
  return all;
}

Result<std::unique_ptr<Network>> MakeRemoteNetwork(const ModelCard& card, const RemoteEngine& engine,
                                                   const NetworkOptions& options) {
  auto network = std::make_unique<RemoteNetwork>(card, engine, options.may_be_starting);
  if (auto connected = network->Connect(options.stop); !connected) {
    Error error = connected.error();
    if (error.code != ErrorCode::kOverloaded)  // which names the model
      error.message = fmt::format("{}:{}: {}", card.name, card.version, error.message);
    return tl::unexpected(std::move(error));
  }
  return network;
}

}  // namespace unmask
