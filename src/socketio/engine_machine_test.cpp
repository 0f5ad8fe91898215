// SPDX-License-Identifier: Apache-2.0
#include "socketio/engine_machine.hpp"

#include <rapidcheck.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace unmask::socketio {
namespace {

using Kind = EngineAction::Kind;
using Type = EnginePacketType;
using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::IsEmpty;

/// "answer 4a 4b", "send 2", "end 3": an action in words.
std::string Words(const EngineAction& action) {
  static constexpr const char* kNames[] = {"answer",     "refuse",      "send",    "probe", "promote",
                                           "closeprobe", "closesocket", "deliver", "end"};
  std::string words = kNames[static_cast<int>(action.kind)];
  for (const auto& packet : action.packets) words += " " + EncodePacket(packet);
  if (action.kind == Kind::kEnd) words += " " + std::to_string(static_cast<int>(action.end));
  return words;
}

std::vector<std::string> Words(const EngineActions& actions) {
  std::vector<std::string> words;
  for (const auto& action : actions) words.push_back(Words(action));
  return words;
}

std::string EndOf(EngineEnd end) { return "end " + std::to_string(static_cast<int>(end)); }

class EngineMachineTest : public testing::Test {
 protected:
  static constexpr EngineMachine::Options kOptions{.ping_interval = milliseconds(300),
                                                   .ping_timeout = milliseconds(200),
                                                   .upgrade_timeout = milliseconds(100),
                                                   .max_packets = 3,
                                                   .max_backlog = 1000};

  EngineMachine Polling() {
    EngineMachine machine(kOptions, EngineTransport::kPolling, "{}", now);
    machine.OnPoll();
    return machine;
  }
  EngineMachine WebSocket() {
    EngineMachine machine(kOptions, EngineTransport::kWebSocket, "{}", now);
    machine.OnSocketOpen();
    return machine;
  }
  EngineMachine::Time At(int ms) const { return now + milliseconds(ms); }
  static std::vector<EnginePacket> Message(std::string text) { return {{Type::kMessage, std::move(text)}}; }

  const EngineMachine::Time now{std::chrono::hours(1)};
};

TEST_F(EngineMachineTest, BeginsWithTheHandshake) {
  EngineMachine polling(kOptions, EngineTransport::kPolling, "{}", now);
  EXPECT_THAT(Words(polling.OnPoll()), ElementsAre("answer 0{}"));
  EngineMachine web_socket(kOptions, EngineTransport::kWebSocket, "{}", now);
  EXPECT_THAT(Words(web_socket.OnSocketOpen()), ElementsAre("send 0{}"));
}

TEST_F(EngineMachineTest, AnswersAPollWhenThereIsSomething) {
  auto machine = Polling();
  EXPECT_THAT(machine.OnPoll(), IsEmpty());
  EXPECT_THAT(Words(machine.Send(Message("a"))), ElementsAre("answer 4a"));
  EXPECT_THAT(machine.Send(Message("b")), IsEmpty());
  EXPECT_THAT(machine.Send(Message("c")), IsEmpty());
  EXPECT_THAT(Words(machine.OnPoll()), ElementsAre("answer 4b 4c"));
  EXPECT_EQ(machine.backlog(), 0u);
}

TEST_F(EngineMachineTest, EndsWithTwoPollsAtOnce) {
  auto machine = Polling();
  machine.OnPoll();
  EXPECT_THAT(Words(machine.OnPoll()), ElementsAre("refuse", "answer 1", EndOf(EngineEnd::kProtocolError)));
  EXPECT_THAT(Words(machine.OnPoll()), ElementsAre("refuse"));
}

TEST_F(EngineMachineTest, EndsWhenAPollIsGivenUp) {
  auto machine = Polling();
  EXPECT_THAT(machine.OnPollGone(), IsEmpty());  // none waits
  machine.OnPoll();
  EXPECT_THAT(Words(machine.OnPollGone()), ElementsAre(EndOf(EngineEnd::kTransportLost)));
}

TEST_F(EngineMachineTest, DeliversWhatAPostBrings) {
  auto machine = Polling();
  EXPECT_THAT(machine.BeginPost(), IsEmpty());
  EXPECT_THAT(Words(machine.OnPayload("4a\x1e"
                                      "4b",
                                      now)),
              ElementsAre("deliver 4a", "deliver 4b"));
  EXPECT_THAT(machine.BeginPost(), IsEmpty());
  machine.OnPostGone();
  EXPECT_THAT(machine.BeginPost(), IsEmpty());
}

TEST_F(EngineMachineTest, EndsWithTwoPostsAtOnce) {
  auto machine = Polling();
  machine.BeginPost();
  EXPECT_THAT(Words(machine.BeginPost()), ElementsAre("refuse", EndOf(EngineEnd::kProtocolError)));
  EXPECT_THAT(Words(machine.OnPayload("4a", now)), ElementsAre("refuse"));
}

TEST_F(EngineMachineTest, EndsWithABadPayload) {
  for (const std::string body : {"abc", "", "2", "0",
                                 "4\x1e"
                                 "4\x1e"
                                 "4\x1e"
                                 "4"}) {
    auto machine = Polling();
    machine.BeginPost();
    EXPECT_THAT(Words(machine.OnPayload(body, now)), ElementsAre("refuse", EndOf(EngineEnd::kProtocolError)));
  }
}

TEST_F(EngineMachineTest, ClosesForThePollingClient) {
  auto machine = Polling();
  machine.OnPoll();
  machine.BeginPost();
  EXPECT_THAT(Words(machine.OnPayload("1\x1e"
                                      "4late",
                                      now)),
              ElementsAre("answer 6", EndOf(EngineEnd::kClientClosed)));
}

TEST_F(EngineMachineTest, SpeaksByWebSocket) {
  auto machine = WebSocket();
  EXPECT_THAT(Words(machine.Send(Message("a"))), ElementsAre("send 4a"));
  EXPECT_THAT(Words(machine.OnFrame("4b", false, now)), ElementsAre("deliver 4b"));
  EXPECT_THAT(Words(machine.OnFrame("\1", true, now)), ElementsAre("deliver bAQ=="));
  EXPECT_THAT(Words(machine.OnPoll()), ElementsAre("refuse"));
  EXPECT_THAT(Words(machine.BeginPost()), ElementsAre("refuse"));
  EXPECT_THAT(Words(machine.BeginProbe(now)), ElementsAre("refuse"));
  EXPECT_THAT(Words(machine.OnFrame("1", false, now)),
              ElementsAre("closesocket", EndOf(EngineEnd::kClientClosed)));
  EXPECT_THAT(machine.Send(Message("late")), IsEmpty());
}

TEST_F(EngineMachineTest, EndsWithABadFrame) {
  for (const std::string frame : {"abc", "", "2", "0", "bAQ=="}) {
    auto machine = WebSocket();
    EXPECT_THAT(Words(machine.OnFrame(frame, false, now)),
                ElementsAre("closesocket", EndOf(EngineEnd::kProtocolError)));
  }
}

TEST_F(EngineMachineTest, EndsWithItsWebSocket) {
  auto machine = WebSocket();
  const auto words = Words(machine.OnSocketClosed());
  EXPECT_EQ(words.back(), EndOf(EngineEnd::kTransportLost));
}

TEST_F(EngineMachineTest, PingsAndWaitsForThePong) {
  auto machine = WebSocket();
  EXPECT_EQ(machine.deadline(), At(300));
  EXPECT_THAT(machine.OnTime(At(299)), IsEmpty());
  EXPECT_THAT(Words(machine.OnTime(At(300))), ElementsAre("send 2"));
  EXPECT_EQ(machine.deadline(), At(500));
  machine.OnFrame("3", false, At(400));
  EXPECT_EQ(machine.deadline(), At(700));
  EXPECT_THAT(Words(machine.OnTime(At(700))), ElementsAre("send 2"));
  EXPECT_THAT(Words(machine.OnTime(At(900))), ElementsAre("closesocket", EndOf(EngineEnd::kPingTimeout)));
}

TEST_F(EngineMachineTest, IgnoresAPongThatNobodyAskedFor) {
  auto machine = WebSocket();
  machine.OnFrame("3", false, At(200));
  EXPECT_EQ(machine.deadline(), At(300));
}

TEST_F(EngineMachineTest, PingsByPollAndTellsTheEnd) {
  auto machine = Polling();
  machine.OnPoll();
  EXPECT_THAT(Words(machine.OnTime(At(300))), ElementsAre("answer 2"));
  machine.OnPoll();
  EXPECT_THAT(Words(machine.OnTime(At(500))), ElementsAre("answer 1", EndOf(EngineEnd::kPingTimeout)));
}

TEST_F(EngineMachineTest, GivesTheClientItsTimeWhenAPingIsLate) {
  auto machine = WebSocket();
  machine.OnTime(At(1000));  // due at 300
  EXPECT_EQ(machine.deadline(), At(1000 + 100));
}

TEST_F(EngineMachineTest, TakesNoSilenceForDeathWhilePaused) {
  auto machine = WebSocket();
  machine.SetPaused(true, now);
  EXPECT_THAT(Words(machine.OnTime(At(300))), ElementsAre("send 2"));
  EXPECT_EQ(machine.deadline(), EngineMachine::Time::max());
  EXPECT_THAT(machine.OnTime(At(5000)), IsEmpty());
  machine.SetPaused(false, At(5000));
  EXPECT_EQ(machine.deadline(), At(5200));
  EXPECT_FALSE(machine.OnTime(At(5200)).empty());
}

TEST_F(EngineMachineTest, UpgradesWithoutLosingAnything) {
  auto machine = Polling();
  machine.OnPoll();
  EXPECT_THAT(machine.BeginProbe(now), IsEmpty());
  EXPECT_THAT(Words(machine.BeginProbe(now)), ElementsAre("refuse"));
  EXPECT_THAT(Words(machine.OnProbeFrame("2probe", false)), ElementsAre("probe 3probe", "answer 6"));
  EXPECT_THAT(Words(machine.OnPoll()), ElementsAre("answer 6"));
  EXPECT_THAT(machine.Send(Message("meanwhile")), IsEmpty());
  EXPECT_THAT(Words(machine.OnProbeFrame("5", false)), ElementsAre("promote", "send 4meanwhile"));
  EXPECT_EQ(machine.transport(), EngineTransport::kWebSocket);
  EXPECT_THAT(Words(machine.Send(Message("now"))), ElementsAre("send 4now"));
}

TEST_F(EngineMachineTest, GivesUpASlowOrBadProbe) {
  auto machine = Polling();
  machine.BeginProbe(now);
  EXPECT_EQ(machine.deadline(), At(100));
  EXPECT_THAT(Words(machine.OnTime(At(100))), ElementsAre("closeprobe"));
  machine.BeginProbe(now);
  EXPECT_THAT(Words(machine.OnProbeFrame("5", false)), ElementsAre("closeprobe"));
  machine.BeginProbe(now);
  EXPECT_THAT(Words(machine.OnProbeFrame("2probe", true)), ElementsAre("closeprobe"));
  machine.BeginProbe(now);
  machine.OnProbeClosed();
  EXPECT_THAT(machine.BeginProbe(now), IsEmpty());
  EXPECT_TRUE(machine.open());
}

TEST_F(EngineMachineTest, EndsItsProbeWithItself) {
  auto machine = Polling();
  machine.BeginProbe(now);
  EXPECT_THAT(Words(machine.Abort()), ElementsAre("closeprobe", EndOf(EngineEnd::kShutdown)));
}

TEST_F(EngineMachineTest, LetsClientsComeAgainAfterAShutdown) {
  auto machine = Polling();
  machine.OnPoll();
  EXPECT_THAT(Words(machine.Abort()), ElementsAre("answer 6", EndOf(EngineEnd::kShutdown)));
}

TEST_F(EngineMachineTest, CutsOffAClientThatDoesNotFetch) {
  auto machine = Polling();
  EXPECT_THAT(machine.Send(Message(std::string(900, 'x'))), IsEmpty());
  EXPECT_THAT(Words(machine.Send(Message(std::string(100, 'x')))),
              ElementsAre(EndOf(EngineEnd::kBacklogFull)));
}

TEST_F(EngineMachineTest, LetsTheLastPacketsBeFetched) {
  auto machine = Polling();
  machine.Send(Message("last"));
  EXPECT_THAT(machine.Close(now), IsEmpty());
  EXPECT_FALSE(machine.open());
  EXPECT_THAT(Words(machine.BeginPost()), ElementsAre("refuse"));
  EXPECT_THAT(Words(machine.OnPoll()), ElementsAre("answer 4last 1", EndOf(EngineEnd::kServerClosed)));

  auto unfetched = Polling();
  unfetched.Close(now);
  EXPECT_EQ(unfetched.deadline(), At(200));
  EXPECT_THAT(Words(unfetched.OnTime(At(200))), ElementsAre(EndOf(EngineEnd::kServerClosed)));
}

TEST_F(EngineMachineTest, ClosesAtOnceWhenSomebodyListens) {
  auto polling = Polling();
  polling.OnPoll();
  EXPECT_THAT(Words(polling.Close(now)), ElementsAre("answer 1", EndOf(EngineEnd::kServerClosed)));
  auto web_socket = WebSocket();
  EXPECT_THAT(Words(web_socket.Close(now)), ElementsAre("closesocket", EndOf(EngineEnd::kServerClosed)));
}

/// Whatever happens in whatever order: each poll that was accepted is answered at most once, messages go out
/// in order, once, and none is lost while the session lives; nothing happens after the end, which comes once.
TEST_F(EngineMachineTest, KeepsItsPromisesUnderAnyEvents) {
  EXPECT_TRUE(rc::check([this] {
    EngineMachine machine(kOptions, EngineTransport::kPolling, "{}", now);
    int polls_waiting = 0, sent = 0, seen = 0, time = 0, ends = 0;
    bool probing = false, upgraded = false;
    const auto look = [&](const EngineActions& actions) {
      bool refused = false;
      for (const auto& action : actions) {
        RC_ASSERT(ends == 0 || action.kind == Kind::kRefuse);
        switch (action.kind) {
          case Kind::kAnswerPoll:
            RC_ASSERT(--polls_waiting == 0);
            [[fallthrough]];
          case Kind::kSend:
            if (action.kind == Kind::kSend) RC_ASSERT(upgraded);
            for (const auto& packet : action.packets)
              if (packet.type == Type::kMessage) RC_ASSERT(packet.data == std::to_string(seen++));
            break;
          case Kind::kPromote:
            RC_ASSERT(probing);
            probing = false;
            upgraded = true;
            break;
          case Kind::kCloseProbe:
          case Kind::kSendProbe:
            RC_ASSERT(probing);
            probing = action.kind == Kind::kSendProbe;
            break;
          case Kind::kCloseSocket:
            RC_ASSERT(upgraded);
            break;
          case Kind::kRefuse:
            refused = true;
            break;
          case Kind::kDeliver:
            RC_ASSERT(action.packets.size() == 1u);
            break;
          case Kind::kEnd:
            ++ends;
            break;
        }
      }
      return refused;
    };
    for (int step = *rc::gen::inRange(1, 60); step > 0; --step) {
      time += *rc::gen::inRange(0, 60);
      switch (*rc::gen::weightedElement<int>(
          {{8, 0}, {1, 1}, {4, 2}, {8, 3}, {3, 4}, {4, 5}, {4, 6}, {4, 7}, {3, 8}, {1, 9}, {1, 10}})) {
        case 0: {
          ++polls_waiting;
          auto actions = machine.OnPoll();
          const bool refused = !actions.empty() && actions.front().kind == Kind::kRefuse;
          if (refused) --polls_waiting;
          look(actions);
          break;
        }
        case 1:
          if (polls_waiting > 0) {
            --polls_waiting;
            look(machine.OnPollGone());
          }
          break;
        case 2:
          if (!look(machine.BeginPost()))
            look(machine.OnPayload(*rc::gen::element("3", "4x", "1",
                                                     "3\x1e"
                                                     "4y"),
                                   At(time)));
          break;
        case 3:
          if (machine.open()) look(machine.Send(Message(std::to_string(sent++))));
          break;
        case 4:
          if (!look(machine.BeginProbe(At(time)))) probing = true;
          break;
        case 5:
          if (probing) look(machine.OnProbeFrame("2probe", false));
          break;
        case 6:
          if (probing) look(machine.OnProbeFrame("5", false));
          break;
        case 7:
          if (upgraded) look(machine.OnFrame(*rc::gen::element<std::string>("3", "4x"), false, At(time)));
          break;
        case 8:
          look(machine.OnTime(At(time)));
          break;
        case 9:
          if (probing) {
            probing = false;
            look(machine.OnProbeClosed());
          }
          break;
        default:
          look(machine.Close(At(time)));
      }
      RC_ASSERT(machine.backlog() <= kOptions.max_backlog);
    }
    if (ends == 0 && machine.open() && !upgraded) {
      if (polls_waiting == 0) {
        ++polls_waiting;
        look(machine.OnPoll());
      }
      RC_ASSERT(seen == sent);
    }
  }));
}

}  // namespace
}  // namespace unmask::socketio
