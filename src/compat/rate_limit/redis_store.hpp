// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "compat/rate_limit/rate_limiter.hpp"
#include "unmask/error.hpp"

namespace unmask::compat {

/// Where a Redis server is.
struct RedisAddress {
  std::string host;  ///< name or address; the socket's path with `port` 0
  int port = 6379;
  int database = 0;
  std::string user;  ///< of Redis 6's ACL; may be empty
  std::string password;
};

/// "redis://[[USER]:PASSWORD@]HOST[:PORT][/DATABASE]" or "unix:///PATH[?db=DATABASE]", as redis-py takes
/// them. kBadRequest otherwise; TLS (rediss://) is not supported.
Result<RedisAddress> ParseRedisUrl(std::string_view url);

struct RedisOptions {
  double timeout = 0.5;  ///< seconds for a connection, and for an answer
  double pause = 1;  ///< seconds after a failure; then one request tries again while the others do not wait
  std::size_t max_idle = 8;  ///< connections that are kept
};

/// Windows in Redis, shared by all servers that use it. Connects when first needed; connections are pooled.
/// While the server is away Increment() fails, mostly at once. It is logged when the server goes
/// and when it comes back, not for every request.
std::unique_ptr<WindowStore> MakeRedisStore(RedisAddress address, RedisOptions options = {});

}  // namespace unmask::compat
