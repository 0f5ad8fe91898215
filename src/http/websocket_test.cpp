// SPDX-License-Identifier: Apache-2.0
#include "http/websocket.hpp"

#include <condition_variable>
#include <mutex>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http/metrics.hpp"
#include "http/server.hpp"
#include "http/test_client.hpp"

namespace unmask::http {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

/// What happened, in order; one thread adds, another awaits.
class Log {
 public:
  void Add(std::string line) {
    const std::lock_guard lock(mutex_);
    lines_.push_back(std::move(line));
    changed_.notify_all();
  }
  bool Await(const std::string& line) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(20),
                             [&] { return std::find(lines_.begin(), lines_.end(), line) != lines_.end(); });
  }
  std::vector<std::string> lines() const {
    const std::lock_guard lock(mutex_);
    return lines_;
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> lines_;
};

/// A client that speaks just enough of RFC 6455; masks with zeros.
class WebSocketClient : public TestClient {
 public:
  using TestClient::TestClient;

  static std::string Handshake(const std::string& target) {
    return "GET " + target +
           " HTTP/1.1\r\nHost: test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
           "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
  }

  static std::string Frame(int opcode, const std::string& payload, bool final = true) {
    std::string frame(1, static_cast<char>((final ? 0x80 : 0) | opcode));
    if (payload.size() < 126) {
      frame += static_cast<char>(0x80 | payload.size());
    } else {
      const bool wide = payload.size() > 0xffff;
      frame += static_cast<char>(0x80 | (wide ? 127 : 126));
      for (int shift = wide ? 56 : 8; shift >= 0; shift -= 8)
        frame += static_cast<char>(payload.size() >> shift);
    }
    return frame + std::string(4, '\0') + payload;
  }

  static std::string CloseFrame(std::uint16_t code) {
    return Frame(8, {static_cast<char>(code >> 8), static_cast<char>(code & 0xff)});
  }

  /// The opcode and payload of the next frame; -1 at the end.
  std::pair<int, std::string> Receive() {
    std::string head = Take(2);
    if (head.size() < 2) return {-1, ""};
    std::size_t size = static_cast<unsigned char>(head[1]);
    if (size >= 126) {
      const auto bytes = Take(size == 126 ? 2 : 8);
      size = 0;
      for (const char byte : bytes) size = size << 8 | static_cast<unsigned char>(byte);
    }
    return {head[0] & 0x0f, Take(size)};
  }

  int ReceiveClose() {
    for (;;) {
      const auto [opcode, payload] = Receive();
      if (opcode == 8 && payload.size() >= 2)
        return static_cast<unsigned char>(payload[0]) << 8 | static_cast<unsigned char>(payload[1]);
      if (opcode == 8 || opcode == -1) return opcode;
    }
  }

  bool Open(const std::string& target) {
    Send(Handshake(target));
    return Read(true).status == 101;
  }
};

constexpr std::size_t kMaxMessage = 1000;

class WebSocketTest : public testing::Test {
 protected:
  /// Echoes messages and writes down what happens.
  class Echo : public WebSocketEvents {
   public:
    explicit Echo(WebSocketTest& test) : test_(test) {}
    void OnOpen(std::shared_ptr<WebSocket> socket) override {
      test_.socket = socket;
      socket_ = std::move(socket);
      test_.log.Add("open");
    }
    void OnMessage(MessageKind kind, std::string payload) override {
      test_.log.Add((kind == MessageKind::kText ? "text " : "binary ") + payload.substr(0, 10));
      socket_->Send(kind, std::move(payload));
    }
    bool OnOversize(MessageKind, std::string begin) override {
      test_.log.Add("oversize " + std::to_string(begin.size()));
      return begin.front() != 'x';
    }
    void OnClose(std::uint16_t code) override { test_.log.Add("close " + std::to_string(code)); }

   private:
    WebSocketTest& test_;
    std::shared_ptr<WebSocket> socket_;
  };

  WebSocketTest() {
    router_ = std::make_shared<Router>();
    const auto open =
        [this](const RequestPtr& request) -> tl::expected<std::unique_ptr<WebSocketEvents>, Response> {
      if (request->raw_query == "no") return tl::unexpected(JsonResponse(403, "\"no\""));
      return std::make_unique<Echo>(*this);
    };
    router_->WebSocket("/echo", {.max_message = kMaxMessage, .backlog = 100'000}, open);
    router_->WebSocket("/both", {}, open);
    router_->Get("/both", [](const RequestPtr&, const Responder& responder) {
      responder.Send(JsonResponse(200, "\"plain\""));
    });
    server_ = Server::Create({.drain_timeout = 1}, &metrics_);
    address_ = *server_->Listen("127.0.0.1:0", router_);
  }

  using Frame = std::pair<int, std::string>;

 public:
  Log log;
  std::shared_ptr<WebSocket> socket;

 protected:
  Metrics metrics_;
  std::shared_ptr<Router> router_;
  std::unique_ptr<Server> server_;
  std::string address_;
};

TEST_F(WebSocketTest, EchoesTextAndBinaryMessages) {
  WebSocketClient client(address_);
  ASSERT_TRUE(client.Open("/echo"));
  client.Send(client.Frame(1, "hello"));
  EXPECT_EQ(client.Receive(), Frame(1, "hello"));
  client.Send(client.Frame(2, std::string("\0\xff", 2)));
  EXPECT_EQ(client.Receive(), Frame(2, std::string("\0\xff", 2)));
  client.Send(client.Frame(1, ""));
  EXPECT_EQ(client.Receive(), Frame(1, ""));
}

TEST_F(WebSocketTest, JoinsFragmentsAndAnswersPings) {
  WebSocketClient client(address_);
  ASSERT_TRUE(client.Open("/echo"));
  client.Send(client.Frame(1, "one ", false) + client.Frame(9, "ping") + client.Frame(0, "two"));
  EXPECT_EQ(client.Receive(), Frame(10, "ping"));
  EXPECT_EQ(client.Receive(), Frame(1, "one two"));
}

TEST_F(WebSocketTest, KeepsBytesThatCameWithTheHandshake) {
  WebSocketClient client(address_);
  client.Send(client.Handshake("/echo") + client.Frame(1, "early") + client.Frame(1, "bird"));
  ASSERT_EQ(client.Read(true).status, 101);
  EXPECT_EQ(client.Receive(), Frame(1, "early"));
  EXPECT_EQ(client.Receive(), Frame(1, "bird"));
}

TEST_F(WebSocketTest, UpgradesAConnectionThatServedRequestsBefore) {
  WebSocketClient client(address_);
  EXPECT_EQ(client.Get("/both").body, "\"plain\"");
  ASSERT_TRUE(client.Open("/both"));
  client.Send(client.Frame(1, "now open"));
  EXPECT_EQ(client.Receive(), Frame(1, "now open"));
}

TEST_F(WebSocketTest, LetsTheHandlerRefuse) {
  WebSocketClient client(address_);
  client.Send(client.Handshake("/echo?no"));
  const auto answer = client.Read();
  EXPECT_EQ(answer.status, 403);
  EXPECT_EQ(answer.body, "\"no\"");
  EXPECT_EQ(client.Get("/both").status, 200);
}

TEST_F(WebSocketTest, AnswersPlainRequestsOfASocketsPath) {
  WebSocketClient client(address_);
  const auto answer = client.Get("/echo");
  EXPECT_EQ(answer.status, 426);
  EXPECT_EQ(answer.headers.at("Upgrade"), "websocket");
}

TEST_F(WebSocketTest, RefusesAHandshakeWithoutKey) {
  WebSocketClient client(address_);
  client.Send(
      "GET /echo HTTP/1.1\r\nHost: test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
      "Sec-WebSocket-Version: 13\r\n\r\n");
  EXPECT_EQ(client.Read().status, 400);
  EXPECT_TRUE(log.lines().empty());
}

TEST_F(WebSocketTest, TellsTheLargestAcceptedMessageFromTheSmallestRefused) {
  WebSocketClient client(address_);
  ASSERT_TRUE(client.Open("/echo"));
  client.Send(client.Frame(1, std::string(kMaxMessage, 'a')));
  EXPECT_EQ(client.Receive(), Frame(1, std::string(kMaxMessage, 'a')));
  client.Send(client.Frame(1, std::string(kMaxMessage + 1, 'b')));
  client.Send(client.Frame(1, "after"));
  EXPECT_EQ(client.Receive(), Frame(1, "after"));
  EXPECT_THAT(log.lines(), ElementsAre("open", "text aaaaaaaaaa", "oversize 1000", "text after"));
}

TEST_F(WebSocketTest, DropsTheRestOfALongMessageInFragments) {
  WebSocketClient client(address_);
  ASSERT_TRUE(client.Open("/echo"));
  client.Send(client.Frame(2, std::string(900, 'b'), false));
  for (int i = 0; i < 100; ++i) client.Send(client.Frame(0, std::string(900, 'b'), false));
  client.Send(client.Frame(0, "", true) + client.Frame(1, "after"));
  EXPECT_EQ(client.Receive(), Frame(1, "after"));
}

TEST_F(WebSocketTest, ClosesWith1009WhenTheHandlerDoesNotTakeLongMessages) {
  WebSocketClient client(address_);
  ASSERT_TRUE(client.Open("/echo"));
  client.Send(client.Frame(1, std::string(2 * kMaxMessage, 'x')));
  EXPECT_EQ(client.ReceiveClose(), 1009);
  client.Send(client.CloseFrame(1009));
  EXPECT_TRUE(log.Await("close 1009"));
}

TEST_F(WebSocketTest, TellsTheClientsCloseCode) {
  WebSocketClient client(address_);
  ASSERT_TRUE(client.Open("/echo"));
  client.Send(client.CloseFrame(1000));
  EXPECT_EQ(client.ReceiveClose(), 1000);
  EXPECT_TRUE(log.Await("close 1000"));
}

TEST_F(WebSocketTest, TellsWhenTheConnectionBreaks) {
  WebSocketClient client(address_);
  ASSERT_TRUE(client.Open("/echo"));
  client.Reset();
  EXPECT_TRUE(log.Await("close 1006"));
}

TEST_F(WebSocketTest, ClosesWhatBreaksTheProtocol) {
  WebSocketClient client(address_);
  ASSERT_TRUE(client.Open("/echo"));
  client.Send(client.Frame(1, "\xff\xfe"));  // not UTF-8
  EXPECT_EQ(client.ReceiveClose(), 1007);
  EXPECT_TRUE(log.Await("close 1006"));

  WebSocketClient unmasked(address_);
  ASSERT_TRUE(unmasked.Open("/echo"));
  unmasked.Send(std::string("\x81\x01z", 3));
  EXPECT_EQ(unmasked.ReceiveClose(), 1002);
}

TEST_F(WebSocketTest, SendsWhatIsQueuedBeforeItCloses) {
  WebSocketClient client(address_);
  ASSERT_TRUE(client.Open("/echo"));
  ASSERT_TRUE(log.Await("open"));
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(socket->Send(MessageKind::kText, std::to_string(i)));
  socket->Close(1000);
  EXPECT_FALSE(socket->Send(MessageKind::kText, "late"));
  for (int i = 0; i < 100; ++i) EXPECT_EQ(client.Receive(), Frame(1, std::to_string(i)));
  EXPECT_EQ(client.ReceiveClose(), 1000);
}

TEST_F(WebSocketTest, GivesUpAClientThatNeverAnswersTheClose) {
  WebSocketClient client(address_);
  ASSERT_TRUE(client.Open("/echo"));
  ASSERT_TRUE(log.Await("open"));
  socket->Close(1000);
  EXPECT_TRUE(log.Await("close 1000"));
}

TEST_F(WebSocketTest, CutsOffAClientThatDoesNotRead) {
  WebSocketClient client(address_);
  ASSERT_TRUE(client.Open("/echo"));
  ASSERT_TRUE(log.Await("open"));
  while (socket->Send(MessageKind::kBinary, std::string(10'000, 'z'))) {
  }
  EXPECT_TRUE(log.Await("close 1006"));
}

TEST_F(WebSocketTest, ReadsNothingWhilePaused) {
  WebSocketClient client(address_);
  ASSERT_TRUE(client.Open("/echo"));
  client.Send(client.Frame(1, "a"));
  EXPECT_EQ(client.Receive(), Frame(1, "a"));
  socket->PauseReading(true);
  client.Send(client.Frame(1, "b"));  // may be taken by the read that was under way
  client.Send(client.Frame(1, "c"));
  client.Send(client.Frame(1, "d"));
  socket->Send(MessageKind::kText, "paused");
  Frame frame = client.Receive();
  if (frame == Frame(1, "b")) frame = client.Receive();
  EXPECT_EQ(frame, Frame(1, "paused"));
  EXPECT_THAT(log.lines(), testing::Not(testing::Contains("text d")));
  socket->PauseReading(false);
  EXPECT_TRUE(log.Await("text d"));
}

TEST_F(WebSocketTest, ShutdownSays1001AndWaits) {
  WebSocketClient client(address_);
  ASSERT_TRUE(client.Open("/echo"));
  ASSERT_TRUE(log.Await("open"));
  EXPECT_EQ(server_->connections(), 1u);
  EXPECT_THAT(metrics_.Serialize(), HasSubstr("unmask_websockets_open 1"));
  server_->StopAccepting();
  EXPECT_EQ(client.ReceiveClose(), 1001);
  client.Send(client.CloseFrame(1001));
  EXPECT_TRUE(server_->Drain(20));
  EXPECT_TRUE(log.Await("close 1001")) << testing::PrintToString(log.lines());
  EXPECT_THAT(metrics_.Serialize(), HasSubstr("unmask_websockets_open 0"));
  EXPECT_THAT(metrics_.Serialize(), HasSubstr("route=\"/echo\",status=\"101\"} 1"));
}

TEST_F(WebSocketTest, TheServersEndIsTheSocketsEnd) {
  WebSocketClient client(address_);
  ASSERT_TRUE(client.Open("/echo"));
  ASSERT_TRUE(log.Await("open"));
  server_.reset();
  EXPECT_THAT(log.lines(), testing::Contains(testing::StartsWith("close ")));
  EXPECT_FALSE(socket->Send(MessageKind::kText, "late"));
}

}  // namespace
}  // namespace unmask::http
