// SPDX-License-Identifier: Apache-2.0
#include "compat/tf_serving/client.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <atomic>
#include <functional>
#include <thread>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "base/fd.hpp"

namespace unmask::compat {
namespace {

using testing::HasSubstr;
using testing::Not;

/// Accepts one connection after another and lets `serve` have each.
class Upstream {
 public:
  using Serve = std::function<void(int connection)>;

  explicit Upstream(Serve serve) : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof at;
    ::bind(listener_.get(), reinterpret_cast<sockaddr*>(&at), size);
    ::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&at), &size);
    ::listen(listener_.get(), 16);
    port_ = ntohs(at.sin_port);
    thread_ = std::thread([this, serve = std::move(serve)] {
      for (;;) {
        const UniqueFd connection(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
        if (!connection) return;
        ++connections;
        serve(connection.get());
      }
    });
  }
  ~Upstream() {
    ::shutdown(listener_.get(), SHUT_RDWR);
    thread_.join();
  }

  std::string url() const { return fmt::format("http://127.0.0.1:{}", port_); }

  std::atomic<int> connections = 0;

 private:
  UniqueFd listener_;
  int port_ = 0;
  std::thread thread_;
};

/// One request with its body, "" when the client has closed.
std::string ReadRequest(int connection) {
  std::string request;
  std::size_t wanted = std::string::npos;
  char bytes[65536];
  while (request.size() < wanted) {
    const auto got = ::recv(connection, bytes, sizeof bytes, 0);
    if (got <= 0) return "";
    request.append(bytes, static_cast<std::size_t>(got));
    const auto head = request.find("\r\n\r\n");
    if (head == std::string::npos) continue;
    const auto length = request.find("Content-Length: ");
    wanted = head + 4 + (length < head ? std::stoul(request.substr(length + 16)) : 0);
  }
  return request;
}

void Send(int connection, const std::string& bytes) {
  ::send(connection, bytes.data(), bytes.size(), MSG_NOSIGNAL);
}

std::string Answer(int status, const std::string& body) {
  return fmt::format("HTTP/1.1 {} X\r\nContent-Length: {}\r\n\r\n{}", status, body.size(), body);
}

/// Answers every request on a connection alike.
Upstream::Serve Always(std::string answer) {
  return [answer = std::move(answer)](int connection) {
    while (!ReadRequest(connection).empty()) Send(connection, answer);
  };
}

/// Sends something once and closes.
Upstream::Serve Once(std::string bytes) {
  return [bytes = std::move(bytes)](int connection) {
    ReadRequest(connection);
    Send(connection, bytes);
  };
}

void WaitForEnd(int connection) {
  while (!ReadRequest(connection).empty()) {
  }
}

std::unique_ptr<TfServing> Client(const std::string& url, double timeout = 20) {
  return std::move(*TfServing::Create({.url = url, .timeout = timeout, .status_timeout = timeout}));
}

/// The scores of two pictures of one pixel, or the error.
std::string Predict(TfServing& client, std::stop_token stop = {}) {
  const std::vector<float> values = {0, 0.5F, 1, 0.25F, 0.1F, 0.2F};
  const auto scores = client.Predict(values, {.count = 2, .height = 1, .width = 1}, std::move(stop));
  return scores ? testing::PrintToString(*scores) : scores.error().message;
}

TEST(TfServing, AsksInRowFormat) {
  std::string request;
  {
    Upstream upstream([&](int connection) {
      request = ReadRequest(connection);
      Send(connection, Answer(200, R"({"predictions": [[0.25], [0.5]]})"));
    });
    EXPECT_EQ(Predict(*Client(upstream.url() + "/")), "{ 0.25, 0.5 }");
  }
  EXPECT_THAT(request, testing::StartsWith("POST /v1/models/deepfake:predict HTTP/1.1\r\n"));
  EXPECT_THAT(request, HasSubstr("Content-Type: application/json\r\n"));
  EXPECT_THAT(request, Not(HasSubstr("Expect")));
  EXPECT_THAT(request, testing::EndsWith("\r\n\r\n{\"instances\": [[[[0,0.5,1]]],[[[0.25,0.1,0.2]]]]}"));
}

TEST(TfServing, KeepsItsConnection) {
  Upstream upstream(Always(Answer(200, R"({"predictions": [[0.25], [0.5]]})")));
  const auto client = Client(upstream.url());
  for (int i = 0; i < 3; ++i) EXPECT_EQ(Predict(*client), "{ 0.25, 0.5 }");
  EXPECT_EQ(upstream.connections, 1);
}

TEST(TfServing, AsksAgainWhenAKeptConnectionWasClosed) {
  Upstream upstream(Once(Answer(200, R"({"predictions": [[0.25], [0.5]]})")));
  const auto client = Client(upstream.url());
  for (int i = 0; i < 3; ++i) EXPECT_EQ(Predict(*client), "{ 0.25, 0.5 }");
}

TEST(TfServing, GivesTheStatusDocument) {
  const std::string status = R"({"model_version_status": [{"version": "1", "state": "AVAILABLE", )"
                             R"("status": {"error_code": "OK", "error_message": ""}}]})";
  Upstream upstream(Always(Answer(200, status)));
  const auto found = Client(upstream.url())->Status();
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ((*found)["model_version_status"][0]["state"], "AVAILABLE");
}

TEST(TfServing, NamesAStatusThatIsNot200) {
  Upstream upstream(Always(Answer(404, R"({"error": "not here"})")));
  EXPECT_EQ(Client(upstream.url())->Status().error().message, "status=404");
  EXPECT_EQ(Predict(*Client(upstream.url())), R"(TF Serving error 404: {"error": "not here"})");
}

TEST(TfServing, ShowsTheFirst400CharactersOfAnUpstreamError) {
  Upstream upstream(Always(Answer(500, std::string(5000, 'e'))));
  EXPECT_EQ(Predict(*Client(upstream.url())), "TF Serving error 500: " + std::string(400, 'e'));
}

TEST(TfServing, FollowsNoRedirect) {
  Upstream upstream(
      Always("HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"));
  EXPECT_EQ(Predict(*Client(upstream.url())), "TF Serving error 302: ");
}

TEST(TfServing, FailsWhereNobodyListens) {
  std::string url;
  {
    Upstream gone([](int) {});
    url = gone.url();
  }
  EXPECT_EQ(
      Predict(*Client(url)),
      "HTTPConnectionPool(host='tfserving', port=8501): Max retries exceeded with url: "
      "/v1/models/deepfake:predict (Caused by NewConnectionError('Failed to establish a new connection: "
      "[Errno 111] Connection refused'))");
  EXPECT_THAT(Client(url)->Status().error().message,
              HasSubstr("exceeded with url: /v1/models/deepfake (Caused"));
}

TEST(TfServing, FailsForAHostWithoutAnAddress) {
  EXPECT_THAT(Predict(*Client("http://nowhere.invalid:8501")),
              testing::AllOf(HasSubstr("NameResolutionError"), Not(HasSubstr("nowhere"))));
}

TEST(TfServing, GivesUpASilentServer) {
  Upstream upstream(WaitForEnd);
  EXPECT_EQ(Predict(*Client(upstream.url(), 0.2)),
            "HTTPConnectionPool(host='tfserving', port=8501): Read timed out. (read timeout=0.2)");
}

TEST(TfServing, GivesUpAServerThatFallsSilentWithinItsAnswer) {
  Upstream upstream([](int connection) {
    ReadRequest(connection);
    Send(connection, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"pred");
    WaitForEnd(connection);
  });
  EXPECT_THAT(Predict(*Client(upstream.url(), 0.2)), HasSubstr("Read timed out. (read timeout=0.2)"));
}

TEST(TfServing, FailsWithoutAnAnswer) {
  Upstream upstream(Once(""));
  EXPECT_EQ(Predict(*Client(upstream.url())),
            "('Connection aborted.', RemoteDisconnected('Remote end closed connection without response'))");
}

TEST(TfServing, FailsForHalfAnAnswer) {
  Upstream upstream(Once("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"predictions\": [[0.1"));
  EXPECT_EQ(Predict(*Client(upstream.url())),
            "('Connection broken: IncompleteRead(21 bytes read, 79 more expected)', IncompleteRead(21 bytes "
            "read, 79 more expected))");
}

TEST(TfServing, FailsForWhatIsNotHttp) {
  Upstream upstream(Once("garbage\r\n\r\n"));
  EXPECT_THAT(Predict(*Client(upstream.url())), HasSubstr("BadStatusLine"));
}

TEST(TfServing, FailsForAnAnswerWithoutEnd) {
  Upstream upstream(Once("HTTP/1.1 200 OK\r\n\r\n" + std::string(17 << 20, ' ')));
  EXPECT_THAT(Predict(*Client(upstream.url())), HasSubstr("too many bytes"));
}

TEST(TfServing, StopsWhenItIsTold) {
  std::stop_source stop;
  Upstream upstream([&](int connection) {
    ReadRequest(connection);
    stop.request_stop();
    WaitForEnd(connection);
  });
  const auto client = Client(upstream.url());
  const std::vector<float> values = {0, 0, 0};
  const auto scores = client->Predict(values, {.count = 1, .height = 1, .width = 1}, stop.get_token());
  ASSERT_FALSE(scores);
  EXPECT_EQ(scores.error().code, ErrorCode::kCancelled);
}

TEST(TfServing, RefusesAnUrlOfAnotherKind) {
  for (const char* const url : {"", "tfserving:8501", "ftp://tfserving", "file:///etc/passwd"}) {
    const auto client = TfServing::Create({.url = url});
    ASSERT_FALSE(client) << url;
    EXPECT_EQ(client.error().code, ErrorCode::kBadRequest);
  }
}

}  // namespace
}  // namespace unmask::compat
