// SPDX-License-Identifier: Apache-2.0
#include "compat/rate_limit/redis_store.hpp"

#include <sys/time.h>

#include <charconv>
#include <chrono>
#include <cmath>
#include <mutex>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <hiredis/hiredis.h>

#include "base/log.hpp"
#include "http/query.hpp"

namespace unmask::compat {
namespace {

// One step in the server, so that no crash between the two leaves a window without an end. The expiry is
// looked at again: a key that lost it (by PERSIST, or by a server that was killed) would lock a client out.
constexpr const char* kIncrement =
    "local n = redis.call('INCRBY', KEYS[1], 1)\n"
    "if n == 1 or redis.call('TTL', KEYS[1]) < 0 then redis.call('EXPIRE', KEYS[1], ARGV[1]) end\n"
    "return n";

struct FreeContext {
  void operator()(redisContext* context) const { redisFree(context); }
};
struct FreeReply {
  void operator()(redisReply* reply) const { freeReplyObject(reply); }
};
using Context = std::unique_ptr<redisContext, FreeContext>;
using Reply = std::unique_ptr<redisReply, FreeReply>;

timeval ToTimeval(double seconds) {
  const double whole = std::floor(seconds);
  return {.tv_sec = static_cast<time_t>(whole), .tv_usec = static_cast<suseconds_t>((seconds - whole) * 1e6)};
}

Result<int> ParseNumber(std::string_view text, int most, std::string_view what) {
  int number = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size() || number < 0 || number > most)
    return Fail(ErrorCode::kBadRequest,
                fmt::format("the Redis URL's {} '{}' is no number up to {}", what, text, most));
  return number;
}

tl::unexpected<Error> Malformed() {
  return Fail(ErrorCode::kBadRequest,
              "expected redis://[[USER]:PASSWORD@]HOST[:PORT][/DATABASE] or unix:///PATH");
}

class RedisStore : public WindowStore {
 public:
  RedisStore(RedisAddress address, RedisOptions options) : address_(std::move(address)), options_(options) {}

  Result<std::int64_t> Increment(const std::string& key, int seconds) override {
    Context context = TakeIdle();
    const bool pooled = context != nullptr;
    if (!pooled && !MayTry()) return Fail(ErrorCode::kOverloaded, "Redis is away");
    const auto began = Clock::now();
    auto count = pooled ? Ask(*context, key, seconds) : Fail(ErrorCode::kOverloaded, "");
    if (!count) {
      // An idle connection may be one that the server has closed since: a fresh one tells. But who got no
      // answer in time shall not wait twice, nor be counted twice.
      if (pooled && Clock::now() - began >= Length(options_.timeout)) return Down(count.error());
      auto fresh = Connect();
      if (!fresh) return Down(fresh.error());
      context = std::move(*fresh);
      count = Ask(*context, key, seconds);
      if (!count) return Down(count.error());
    }
    Up(std::move(context));
    return count;
  }

 private:
  using Clock = std::chrono::steady_clock;

  static Clock::duration Length(double seconds) {
    return std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
  }

  Result<Context> Connect() const {
    const timeval timeout = ToTimeval(options_.timeout);
    Context context(address_.port == 0
                        ? redisConnectUnixWithTimeout(address_.host.c_str(), timeout)
                        : redisConnectWithTimeout(address_.host.c_str(), address_.port, timeout));
    if (!context) return Fail(ErrorCode::kOverloaded, "no memory for a connection");
    if (context->err != 0) return Fail(ErrorCode::kOverloaded, context->errstr);
    redisSetTimeout(context.get(), timeout);
    std::vector<std::string> login{"AUTH"};
    if (!address_.user.empty()) login.push_back(address_.user);
    login.push_back(address_.password);
    if (!address_.password.empty())
      if (const auto reply = Command(*context, login); !reply) return tl::unexpected(reply.error());
    if (address_.database != 0)
      if (const auto reply = Command(*context, {"SELECT", std::to_string(address_.database)}); !reply)
        return tl::unexpected(reply.error());
    return context;
  }

  static Result<Reply> Command(redisContext& context, const std::vector<std::string>& words) {
    std::vector<const char*> texts;
    std::vector<std::size_t> sizes;
    for (const auto& word : words) {
      texts.push_back(word.data());
      sizes.push_back(word.size());
    }
    Reply reply(static_cast<redisReply*>(
        redisCommandArgv(&context, static_cast<int>(words.size()), texts.data(), sizes.data())));
    if (!reply) return Fail(ErrorCode::kOverloaded, context.errstr);
    if (reply->type == REDIS_REPLY_ERROR)
      return Fail(ErrorCode::kOverloaded, std::string(reply->str, reply->len));
    return reply;
  }

  static Result<std::int64_t> Ask(redisContext& context, const std::string& key, int seconds) {
    const auto reply = Command(context, {"EVAL", kIncrement, "1", key, std::to_string(seconds)});
    if (!reply) return tl::unexpected(reply.error());
    if ((*reply)->type != REDIS_REPLY_INTEGER) return Fail(ErrorCode::kOverloaded, "Redis gave no number");
    return (*reply)->integer;
  }

  Context TakeIdle() {
    const std::lock_guard lock(mutex_);
    if (idle_.empty()) return nullptr;
    Context context = std::move(idle_.back());
    idle_.pop_back();
    return context;
  }

  /// While the server is away, one request in each pause tries: not all of them shall wait for it.
  bool MayTry() {
    const std::lock_guard lock(mutex_);
    if (!down_) return true;
    if (Clock::now() < resume_) return false;
    Pause();
    return true;
  }

  void Pause() { resume_ = Clock::now() + Length(options_.pause); }

  void Up(Context context) {
    const std::lock_guard lock(mutex_);
    if (std::exchange(down_, false)) LogWarning("Redis answers again: rate limits are shared");
    if (idle_.size() < options_.max_idle) idle_.push_back(std::move(context));
  }

  tl::unexpected<Error> Down(const Error& error) {
    const std::lock_guard lock(mutex_);
    if (!std::exchange(down_, true))
      LogError("Redis does not answer, rate limits are not counted: {}", error.message);
    Pause();
    idle_.clear();
    return tl::unexpected(error);
  }

  const RedisAddress address_;
  const RedisOptions options_;
  std::mutex mutex_;
  std::vector<Context> idle_;
  bool down_ = false;
  Clock::time_point resume_;
};

}  // namespace

Result<RedisAddress> ParseRedisUrl(std::string_view url) {
  RedisAddress address;
  constexpr std::string_view kUnix = "unix://", kTcp = "redis://";
  if (url.starts_with(kUnix)) {
    url.remove_prefix(kUnix.size());
    const auto mark = std::min(url.find('?'), url.size());
    address.host = std::string(url.substr(0, mark));
    address.port = 0;
    if (!address.host.starts_with('/')) return Malformed();
    const auto query = url.substr(std::min(mark + 1, url.size()));
    if (!query.empty()) {
      if (!query.starts_with("db=")) return Malformed();
      const auto database = ParseNumber(query.substr(3), 1'000'000, "database");
      if (!database) return tl::unexpected(database.error());
      address.database = *database;
    }
    return address;
  }
  if (!url.starts_with(kTcp)) return Malformed();
  url.remove_prefix(kTcp.size());
  const auto slash = std::min(url.find('/'), url.size());
  auto authority = url.substr(0, slash);
  const auto path = url.substr(std::min(slash + 1, url.size()));
  if (const auto at = authority.rfind('@'); at != std::string_view::npos) {
    const auto login = authority.substr(0, at);
    authority.remove_prefix(at + 1);
    const auto colon = login.find(':');
    if (colon == std::string_view::npos) return Malformed();
    const auto user = http::PercentDecode(login.substr(0, colon));
    const auto password = http::PercentDecode(login.substr(colon + 1));
    if (!user || !password) return Malformed();
    address.user = *user;
    address.password = *password;
  }
  std::string_view port;
  if (authority.starts_with('[')) {
    const auto end = authority.find(']');
    if (end == std::string_view::npos) return Malformed();
    address.host = std::string(authority.substr(1, end - 1));
    port = authority.substr(end + 1);
  } else {
    const auto colon = std::min(authority.find(':'), authority.size());
    address.host = std::string(authority.substr(0, colon));
    port = authority.substr(colon);
  }
  if (address.host.empty() || (!port.empty() && port.front() != ':')) return Malformed();
  if (!port.empty()) {
    const auto number = ParseNumber(port.substr(1), 65535, "port");
    if (!number) return tl::unexpected(number.error());
    if (*number == 0) return Malformed();
    address.port = *number;
  }
  if (!path.empty()) {
    const auto database = ParseNumber(path, 1'000'000, "database");
    if (!database) return tl::unexpected(database.error());
    address.database = *database;
  }
  return address;
}

std::unique_ptr<WindowStore> MakeRedisStore(RedisAddress address, RedisOptions options) {
  return std::make_unique<RedisStore>(std::move(address), options);
}

}  // namespace unmask::compat
