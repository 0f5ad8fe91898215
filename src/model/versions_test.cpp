// SPDX-License-Identifier: Apache-2.0
#include "model/versions.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace unmask {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(VersionState, HasTheNamesAndNumbersOfTensorFlowServing) {
  EXPECT_EQ(static_cast<int>(VersionState::kStart), 10);
  EXPECT_EQ(static_cast<int>(VersionState::kLoading), 20);
  EXPECT_EQ(static_cast<int>(VersionState::kAvailable), 30);
  EXPECT_EQ(static_cast<int>(VersionState::kUnloading), 40);
  EXPECT_EQ(static_cast<int>(VersionState::kEnd), 50);
  EXPECT_EQ(VersionStateName(VersionState::kAvailable), "AVAILABLE");
  EXPECT_EQ(VersionStateName(VersionState::kEnd), "END");
}

TEST(VersionState, GoesThroughAWholeLifeAndBack) {
  auto state = VersionState::kEnd;
  for (const auto& [event, expected] : {std::pair(VersionEvent::kWant, VersionState::kStart),
                                        {VersionEvent::kLoad, VersionState::kLoading},
                                        {VersionEvent::kLoaded, VersionState::kAvailable},
                                        {VersionEvent::kUnwant, VersionState::kUnloading},
                                        {VersionEvent::kReleased, VersionState::kEnd},
                                        {VersionEvent::kWant, VersionState::kStart}}) {
    const auto next = After(state, event);
    ASSERT_TRUE(next);
    EXPECT_EQ(*next, expected);
    state = *next;
  }
}

TEST(VersionState, RefusesWhatDoesNotFit) {
  EXPECT_FALSE(After(VersionState::kStart, VersionEvent::kLoaded)) << "AVAILABLE without LOADING";
  EXPECT_FALSE(After(VersionState::kUnloading, VersionEvent::kWant)) << "back while requests still end";
  EXPECT_FALSE(After(VersionState::kAvailable, VersionEvent::kReleased)) << "END while it may be asked";
  EXPECT_FALSE(After(VersionState::kLoading, VersionEvent::kUnwant)) << "a load is not interrupted";
  EXPECT_EQ(After(VersionState::kLoading, VersionEvent::kFail), VersionState::kEnd);
}

TEST(VersionState, WaitsInLoading) {
  EXPECT_EQ(After(VersionState::kLoading, VersionEvent::kWait), VersionState::kLoading);
  EXPECT_FALSE(After(VersionState::kAvailable, VersionEvent::kWait));
}

TEST(LoadRetry, WaitsLongerEachTimeUpToALimit) {
  const LoadRetry retry{.first = 1, .longest = 30};
  std::vector<double> longest;
  for (int failed = 1; failed <= 8; ++failed) longest.push_back(PauseBeforeLoad(retry, failed, 1));
  EXPECT_THAT(longest, ElementsAre(1, 2, 4, 8, 16, 30, 30, 30));
  EXPECT_EQ(PauseBeforeLoad(retry, 1'000'000, 1), 30) << "years later";
}

TEST(LoadRetry, SpreadsThoseWhoFailedTogether) {
  const LoadRetry retry{.first = 1, .longest = 30};
  EXPECT_EQ(PauseBeforeLoad(retry, 3, 0), 2);
  EXPECT_EQ(PauseBeforeLoad(retry, 3, 0.5), 3);
  EXPECT_EQ(PauseBeforeLoad(retry, 3, 1), 4);
}

TEST(VersionPolicy, ReadsAndPrintsEachKind) {
  for (const char* text : {"latest:1", "latest:12", "all", "3", "1,4,2"}) {
    const auto policy = ParseVersionPolicy(text);
    ASSERT_TRUE(policy) << text;
    EXPECT_EQ(VersionPolicyText(*policy), text);
  }
  EXPECT_EQ(VersionPolicyText(*ParseVersionPolicy("latest")), "latest:1");
}

TEST(VersionPolicy, RefusesWhatItDoesNotKnow) {
  for (const char* text : {"", "newest", "latest:", "latest:0", "latest:-1", "latest:1001", "1,", ",1", "0",
                           "1,x", "1 2", "99999999999"}) {
    const auto policy = ParseVersionPolicy(text);
    ASSERT_FALSE(policy) << text;
    EXPECT_THAT(policy.error().message, HasSubstr("latest:N"));
  }
}

TEST(VersionPolicy, ChoosesAmongWhatIsThere) {
  const std::vector<int> present = {1, 2, 5};
  EXPECT_THAT(WantedVersions(*ParseVersionPolicy("latest"), present), ElementsAre(5));
  EXPECT_THAT(WantedVersions(*ParseVersionPolicy("latest:2"), present), ElementsAre(2, 5));
  EXPECT_THAT(WantedVersions(*ParseVersionPolicy("latest:9"), present), ElementsAre(1, 2, 5));
  EXPECT_THAT(WantedVersions(*ParseVersionPolicy("all"), present), ElementsAre(1, 2, 5));
  EXPECT_THAT(WantedVersions(*ParseVersionPolicy("2,3"), present), ElementsAre(2));
  EXPECT_THAT(WantedVersions(*ParseVersionPolicy("all"), {}), IsEmpty());
}

TEST(ChooseServing, FollowsTheHighestWithoutALabel) {
  EXPECT_EQ(ChooseServing({}, 1, {1, 2}, {2}), 2);
  EXPECT_EQ(ChooseServing({}, 2, {1, 2}, {1}), 1) << "the policy changed or 2 was taken away";
}

TEST(ChooseServing, KeepsTheOldOneUntilTheNewOneIsAvailable) {
  EXPECT_EQ(ChooseServing({}, 1, {1}, {2}), 1);
  EXPECT_EQ(ChooseServing(2, 1, {1}, {2}), 1);
  EXPECT_EQ(ChooseServing(2, 1, {1, 2}, {2}), 2);
}

TEST(ChooseServing, LetsTheLabelDecideOverHigherVersions) {
  EXPECT_EQ(ChooseServing(1, 1, {1, 2}, {2}), 1);
  EXPECT_EQ(ChooseServing(1, 2, {1, 2}, {1, 2}), 1);
}

TEST(ChooseServing, HasNothingToServeAtFirst) { EXPECT_EQ(ChooseServing({}, 0, {}, {1}), 0); }

}  // namespace
}  // namespace unmask
