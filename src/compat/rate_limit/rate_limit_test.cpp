// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "compat/rate_limit/client_address.hpp"
#include "compat/rate_limit/rate_limiter.hpp"
#include "compat/rate_limit/redis_store.hpp"

namespace unmask::compat {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::array kRules{RateRule{2, 3600, "hour"}, RateRule{3, 86400, "day"}};

TEST(MemoryStore, CountsAWindowFromItsFirstHit) {
  double now = 100;
  const auto store = MakeMemoryStore(10, [&] { return now; });
  EXPECT_EQ(store->Increment("a", 60), 1);
  now = 130;
  EXPECT_EQ(store->Increment("a", 60), 2);
  EXPECT_EQ(store->Increment("b", 60), 1);
  now = 159.9;
  EXPECT_EQ(store->Increment("a", 60), 3);
  now = 160;
  EXPECT_EQ(store->Increment("a", 60), 1);
  EXPECT_EQ(store->Increment("b", 60), 2);
}

TEST(MemoryStore, ForgetsTheWindowThatEndsFirstWhenItIsFull) {
  double now = 0;
  const auto store = MakeMemoryStore(2, [&] { return now; });
  store->Increment("long", 3600);
  store->Increment("short", 60);
  store->Increment("third", 60);
  EXPECT_EQ(store->Increment("long", 3600), 2);
  EXPECT_EQ(store->Increment("third", 60), 2);
  EXPECT_EQ(store->Increment("short", 60), 1);
}

/// Remembers what was asked of it.
class ToldStore : public WindowStore {
 public:
  explicit ToldStore(std::vector<std::string>& keys, bool down = false) : keys_(keys), down_(down) {}
  Result<std::int64_t> Increment(const std::string& key, int) override {
    keys_.push_back(key);
    if (down_) return Fail(ErrorCode::kOverloaded, "down");
    return ++counts_[key];
  }

 private:
  std::vector<std::string>& keys_;
  std::map<std::string, std::int64_t> counts_;
  bool down_;
};

TEST(RateLimiter, UsesTheKeysOfFlaskLimiterAndStopsAtTheFirstLimit) {
  std::vector<std::string> keys;
  RateLimiter limiter(std::make_unique<ToldStore>(keys), RateLimiter::Down::kAllow);
  EXPECT_TRUE(limiter.Hit("192.0.2.1", "index", kRules));
  EXPECT_THAT(
      keys, ElementsAre("LIMITS:LIMITER/192.0.2.1/index/2/1/hour", "LIMITS:LIMITER/192.0.2.1/index/3/1/day"));
  EXPECT_TRUE(limiter.Hit("192.0.2.1", "index", kRules));
  keys.clear();
  const auto third = limiter.Hit("192.0.2.1", "index", kRules);
  EXPECT_EQ(third.error().code, ErrorCode::kLimitExceeded);
  EXPECT_EQ(third.error().message, "2 per 1 hour");
  EXPECT_EQ(third.error().limit, kRateLimit);
  EXPECT_THAT(keys, ElementsAre("LIMITS:LIMITER/192.0.2.1/index/2/1/hour"));
  EXPECT_TRUE(limiter.Hit("192.0.2.2", "index", kRules));
  EXPECT_TRUE(limiter.Hit("192.0.2.1", "upload_file", kRules));
}

TEST(RateLimiter, AllowsOrDeniesWhenTheStoreIsDown) {
  std::vector<std::string> keys;
  RateLimiter allow(std::make_unique<ToldStore>(keys, true), RateLimiter::Down::kAllow);
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(allow.Hit("a", "b", kRules));
  RateLimiter deny(std::make_unique<ToldStore>(keys, true), RateLimiter::Down::kDeny);
  EXPECT_EQ(deny.Hit("a", "b", kRules).error().code, ErrorCode::kOverloaded);
}

TEST(RedisStore, FailsWithoutAServer) {
  const auto store = MakeRedisStore({.host = "127.0.0.1", .port = 1}, {.timeout = 0.2});
  EXPECT_FALSE(store->Increment("a", 60));
  EXPECT_FALSE(store->Increment("a", 60));
  EXPECT_FALSE(MakeRedisStore({.host = "/none/redis.sock", .port = 0})->Increment("a", 60));
}

TEST(ParseRedisUrl, TakesTheUsualForms) {
  const auto plain = ParseRedisUrl("redis://cache");
  EXPECT_EQ(plain->host, "cache");
  EXPECT_EQ(plain->port, 6379);
  const auto full = ParseRedisUrl("redis://me:p%40ss:w@[::1]:7000/3");
  EXPECT_EQ(full->host, "::1");
  EXPECT_EQ(full->port, 7000);
  EXPECT_EQ(full->database, 3);
  EXPECT_EQ(full->user, "me");
  EXPECT_EQ(full->password, "p@ss:w");
  EXPECT_EQ(ParseRedisUrl("redis://:secret@h/")->password, "secret");
  const auto socket = ParseRedisUrl("unix:///run/redis.sock?db=2");
  EXPECT_EQ(socket->host, "/run/redis.sock");
  EXPECT_EQ(socket->port, 0);
  EXPECT_EQ(socket->database, 2);
}

TEST(ParseRedisUrl, RefusesOthers) {
  for (const char* url : {"", "cache:6379", "rediss://cache", "redis://", "redis://h:0", "redis://h:99999",
                          "redis://h:x", "redis://h/x", "redis://user@h", "redis://[::1", "redis://[::1]x",
                          "unix://relative", "unix:///s?x=1", "redis://h/-1"})
    EXPECT_EQ(ParseRedisUrl(url).error().code, ErrorCode::kBadRequest) << url;
}

http::Request From(const std::string& peer, std::vector<std::string> forwarded = {}) {
  http::Request request;
  request.client = peer;
  for (auto& value : forwarded) request.headers.Add("x-forwarded-for", value);
  return request;
}

TEST(ClientAddress, IsThePeerUnlessThatIsATrustedProxy) {
  const std::vector proxies{*ParseCidr("10.0.0.0/8"), *ParseCidr("fd00::/8")};
  EXPECT_EQ(ClientAddress(From("192.0.2.1", {"198.51.100.7"}), {}), "192.0.2.1");
  EXPECT_EQ(ClientAddress(From("192.0.2.1", {"198.51.100.7"}), proxies), "192.0.2.1");
  EXPECT_EQ(ClientAddress(From("10.1.1.1", {"198.51.100.7"}), proxies), "198.51.100.7");
  EXPECT_EQ(ClientAddress(From("::ffff:10.1.1.1", {"198.51.100.7"}), proxies), "198.51.100.7");
  EXPECT_EQ(ClientAddress(From("fd00::1", {"2001:DB8::7"}), proxies), "2001:db8::7");
  EXPECT_EQ(ClientAddress(From("10.1.1.1"), proxies), "10.1.1.1");
}

TEST(ClientAddress, BelievesNothingLeftOfTheFirstStranger) {
  const std::vector proxies{*ParseCidr("10.0.0.0/8")};
  EXPECT_EQ(ClientAddress(From("10.1.1.1", {"1.1.1.1, 198.51.100.7 ,10.2.2.2"}), proxies), "198.51.100.7");
  EXPECT_EQ(ClientAddress(From("10.1.1.1", {"1.1.1.1", "198.51.100.7", "10.2.2.2"}), proxies),
            "198.51.100.7");
  EXPECT_EQ(ClientAddress(From("10.1.1.1", {"10.3.3.3, 10.2.2.2"}), proxies), "10.3.3.3");
  EXPECT_EQ(ClientAddress(From("10.1.1.1", {"198.51.100.7, unknown, 10.2.2.2"}), proxies), "10.2.2.2");
  EXPECT_EQ(ClientAddress(From("10.1.1.1", {"198.51.100.7:443"}), proxies), "198.51.100.7");
  EXPECT_EQ(ClientAddress(From("10.1.1.1", {"[2001:db8::1]:443"}), proxies), "2001:db8::1");
  EXPECT_EQ(ClientAddress(From("10.1.1.1", {""}), proxies), "10.1.1.1");
}

TEST(ParseCidr, KnowsItsMembers) {
  const auto contains = [](const char* network, const char* address) {
    return ParseCidr(network)->Contains(*ParseIp(address));
  };
  EXPECT_TRUE(contains("192.0.2.128/25", "192.0.2.200"));
  EXPECT_FALSE(contains("192.0.2.128/25", "192.0.2.100"));
  EXPECT_TRUE(contains("192.0.2.1", "192.0.2.1"));
  EXPECT_FALSE(contains("192.0.2.1", "192.0.2.2"));
  EXPECT_TRUE(contains("0.0.0.0/0", "1.2.3.4"));
  EXPECT_FALSE(contains("0.0.0.0/0", "::1"));
  EXPECT_TRUE(contains("::/0", "1.2.3.4"));
  EXPECT_TRUE(contains("2001:db8::/33", "2001:db8:7fff::1"));
  EXPECT_FALSE(contains("2001:db8::/33", "2001:db8:8000::1"));
  for (const char* text : {"", "10.0.0", "10.0.0.0/33", "10.0.0.0/-1", "::/129", "10.0.0.0/8x", "/8"})
    EXPECT_THAT(ParseCidr(text).error().message, HasSubstr("found '" + std::string(text) + "'"));
}

}  // namespace
}  // namespace unmask::compat
