// SPDX-License-Identifier: Apache-2.0
#include "media/wire/message.hpp"

#include <sys/socket.h>

#include <cstring>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace unmask::wire {
namespace {

struct Pair {
  Pair() {
    int ends[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
    left.reset(ends[0]);
    right.reset(ends[1]);
  }
  UniqueFd left;
  UniqueFd right;
};

template <typename M>
std::span<const std::byte> BytesOf(const M& message) {
  return std::as_bytes(std::span(&message, 1));
}

TEST(Message, EveryMessageOfTheDecoderSurvivesTheWire) {
  FrameReady ready{.slot = 2, .index = 77, .time = 1.5, .progress = 0.25, .key = 1};
  const auto parsed = ParseFromDecoder(BytesOf(ready));
  ASSERT_TRUE(parsed);
  EXPECT_EQ(std::get<FrameReady>(*parsed).index, 77);
  EXPECT_EQ(std::get<FrameReady>(*parsed).time, 1.5);
  EXPECT_TRUE(std::holds_alternative<Announce>(*ParseFromDecoder(BytesOf(Announce{}))));
  EXPECT_TRUE(std::holds_alternative<End>(*ParseFromDecoder(BytesOf(End{}))));
  EXPECT_TRUE(std::holds_alternative<Failure>(*ParseFromDecoder(BytesOf(Failure{}))));
}

TEST(Message, MessagesOfTheWrongDirectionAreRefused) {
  EXPECT_FALSE(ParseFromDecoder(BytesOf(Job{})));
  EXPECT_FALSE(ParseFromDecoder(BytesOf(Release{})));
  EXPECT_FALSE(ParseToDecoder(BytesOf(FrameReady{})));
  EXPECT_TRUE(ParseToDecoder(BytesOf(Job{})));
  EXPECT_TRUE(ParseToDecoder(BytesOf(RingOffer{})));
}

TEST(Message, AnyOtherLengthIsRefused) {
  std::vector<std::byte> bytes(kMaxMessage);
  const End end;
  std::memcpy(bytes.data(), &end, sizeof end);
  for (std::size_t size = 0; size <= bytes.size(); ++size)
    EXPECT_EQ(ParseFromDecoder(std::span(bytes).first(size)).has_value(), size == sizeof end) << size;
}

TEST(Message, RandomBytesNeverHarmTheParser) {
  std::mt19937 random(1);
  std::vector<std::byte> bytes(kMaxMessage + 1);
  for (int round = 0; round < 20000; ++round) {
    for (auto& byte : bytes) byte = static_cast<std::byte>(random());
    const std::uint32_t type = random() % 9;
    std::memcpy(bytes.data() + 1, &type, sizeof type);
    // Off by one, so that nothing is aligned.
    const auto parsed = ParseFromDecoder(std::span(bytes).subspan(1, random() % kMaxMessage));
    if (parsed && std::holds_alternative<Announce>(*parsed)) {
      EXPECT_LE(Text(std::get<Announce>(*parsed).codec).size(), sizeof Announce::codec);
    }
  }
}

TEST(Message, TextKeepsOnlyHarmlessCharacters) {
  const char field[8] = {'a', '<', '\n', '\x80', '9', 'Z', '.', '_'};
  EXPECT_EQ(Text(field), "a???9Z._");
  char cut[4];
  SetText(cut, "matroska");
  EXPECT_EQ(Text(cut), "mat");
  SetText(cut, "");
  EXPECT_EQ(Text(cut), "");
}

TEST(Message, ADescriptorTravelsWithItsMessage) {
  Pair pair;
  UniqueFd file(::dup(0));
  ASSERT_TRUE(Send(pair.left.get(), Job{.bytes = 5}, file.get()));
  Packet packet = Receive(pair.right.get(), true);
  EXPECT_EQ(packet.state, Packet::State::kMessage);
  EXPECT_TRUE(packet.fd);
  EXPECT_EQ(std::get<Job>(*ParseToDecoder(packet.content())).bytes, 5u);
}

TEST(Message, ReceiveTellsWaitingFromClosed) {
  Pair pair;
  EXPECT_EQ(Receive(pair.right.get(), false).state, Packet::State::kNothingYet);
  pair.left.reset();
  EXPECT_EQ(Receive(pair.right.get(), false).state, Packet::State::kClosed);
  EXPECT_FALSE(Send(pair.right.get(), End{}));
}

TEST(Message, TheLastMessageIsReadAlthoughItsSenderHungUpWithoutReadingOurs) {
  Pair pair;
  ASSERT_TRUE(Send(pair.right.get(), Release{}));
  ASSERT_TRUE(Send(pair.left.get(), End{}));
  pair.left.reset();
  EXPECT_TRUE(ParseFromDecoder(Receive(pair.right.get(), false).content()));
  EXPECT_EQ(Receive(pair.right.get(), false).state, Packet::State::kClosed);
}

TEST(Message, APacketThatIsTooLongIsNoMessage) {
  Pair pair;
  const std::vector<std::byte> flood(5000);
  ASSERT_TRUE(SendBytes(pair.left.get(), flood, -1, true));
  const Packet packet = Receive(pair.right.get(), true);
  EXPECT_EQ(packet.state, Packet::State::kMessage);
  EXPECT_EQ(packet.size, 0u);
  EXPECT_FALSE(ParseFromDecoder(packet.content()));
}

TEST(Message, SurplusDescriptorsAreClosed) {
  Pair pair;
  const int spare = ::dup(0);
  ::close(spare);
  int both[3] = {0, 1, 2};
  char payload = 0;
  iovec part{&payload, 1};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof both)] = {};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  header.msg_control = control;
  header.msg_controllen = sizeof control;
  cmsghdr* rights = CMSG_FIRSTHDR(&header);
  rights->cmsg_level = SOL_SOCKET;
  rights->cmsg_type = SCM_RIGHTS;
  rights->cmsg_len = CMSG_LEN(sizeof both);
  std::memcpy(CMSG_DATA(rights), both, sizeof both);
  ASSERT_EQ(::sendmsg(pair.left.get(), &header, 0), 1);
  Receive(pair.right.get(), true);
  const UniqueFd next(::dup(0));
  EXPECT_EQ(next.get(), spare) << "a descriptor stayed open";
}

Pick ListOf(std::initializer_list<std::uint32_t> indices) {
  Pick part;
  for (const std::uint32_t index : indices) part.indices[part.count++] = index;
  return part;
}

TEST(Pick, SurvivesBeingCutAndPutTogether) {
  FramePick whole;
  for (std::size_t i = 0; i < FramePick::kMaxIndices; ++i)
    whole.indices.push_back(static_cast<std::int64_t>(i * i));
  whole.indices.back() = FramePick::kMaxIndex;
  FramePick together;
  for (const Pick& part : CutPick(whole)) {
    const auto parsed = ParseToDecoder(BytesOf(part));
    ASSERT_TRUE(parsed);
    ASSERT_TRUE(AddPick(std::get<Pick>(*parsed), together));
  }
  EXPECT_EQ(together.indices, whole.indices);

  const auto step = CutPick({.step = 7});
  ASSERT_EQ(step.size(), 1u);
  FramePick stepping;
  EXPECT_TRUE(AddPick(step[0], stepping));
  EXPECT_EQ(stepping.step, 7);
  EXPECT_TRUE(CutPick({}).empty());
}

TEST(Pick, PartsThatMakeNoSenseAreRefused) {
  const auto refused = [](std::initializer_list<Pick> parts) {
    FramePick pick;
    for (const Pick& part : parts)
      if (!AddPick(part, pick)) return true;
    return false;
  };
  EXPECT_TRUE(refused({Pick{}})) << "says nothing";
  EXPECT_TRUE(refused({Pick{.step = -1}}));
  EXPECT_TRUE(refused({Pick{.count = 1, .step = 1}}));
  EXPECT_TRUE(refused({Pick{.step = 1}, Pick{.step = 1}}));
  EXPECT_TRUE(refused({Pick{.step = 1}, ListOf({1})}));
  EXPECT_TRUE(refused({ListOf({1}), Pick{.step = 1}}));
  EXPECT_TRUE(refused({Pick{.count = Pick::kRoom + 1}}));
  EXPECT_TRUE(refused({ListOf({2, 1})}));
  EXPECT_TRUE(refused({ListOf({1, 1})}));
  EXPECT_TRUE(refused({ListOf({5}), ListOf({4})}));
  EXPECT_FALSE(refused({ListOf({0, 4}), ListOf({5, 0xFFFFFFFF})}));
}

TEST(Pick, NeverGrowsBeyondItsLimit) {
  FramePick pick;
  Pick part{.count = 1};
  for (std::size_t i = 0; i < FramePick::kMaxIndices; ++i) {
    part.indices[0] = static_cast<std::uint32_t>(i);
    ASSERT_TRUE(AddPick(part, pick));
  }
  part.indices[0] = 1'000'000;
  EXPECT_FALSE(AddPick(part, pick));
}

}  // namespace
}  // namespace unmask::wire
