// SPDX-License-Identifier: Apache-2.0
#include "api/engine_metrics.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace unmask {
namespace {

using testing::HasSubstr;

TEST(EngineMetrics, AddUpTheNetworksOfOneModelAndShowTheWorstState) {
  const EngineStatus well{.model = "face:1", .protocol = "kserve-v2", .answered = 3, .seconds = 0.5};
  const EngineStatus ill{.model = "face:1",
                         .protocol = "kserve-v2",
                         .state = BreakerState::kOpen,
                         .failed = 5,
                         .refused = 2,
                         .retries = 4,
                         .seconds = 1};
  const auto text = EngineMetricsText({well, ill});
  EXPECT_THAT(text, HasSubstr("unmask_engine_state{model=\"face:1\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("unmask_engine_batches_total{model=\"face:1\",outcome=\"answered\"} 3\n"));
  EXPECT_THAT(text, HasSubstr("outcome=\"failed\"} 5\n"));
  EXPECT_THAT(text, HasSubstr("outcome=\"refused\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("unmask_engine_retries_total{model=\"face:1\"} 4\n"));
  EXPECT_THAT(text, HasSubstr("unmask_engine_seconds_total{model=\"face:1\"} 1.5\n"));
  EXPECT_EQ(EngineMetricsText({}), "");
}

TEST(EngineMetrics, CannotBeForgedByAName) {
  const auto text = EngineMetricsText({{.model = "a\"b\\c\nd"}});
  EXPECT_THAT(text, HasSubstr("{model=\"a\\\"b\\\\c d\"} 0\n"));
}

TEST(EngineMetrics, NameAnEngineThatIsLeftAlone) {
  const EngineStatus well{.model = "a:1", .protocol = "kserve-v2"};
  const EngineStatus ill{.model = "b:2", .protocol = "tf-serving", .state = BreakerState::kOpen};
  const EngineStatus coming{.model = "c:3", .protocol = "tf-serving", .state = BreakerState::kHalfOpen};
  EXPECT_EQ(EngineLeftAlone({well, ill}), "b:2");
  EXPECT_EQ(EngineLeftAlone({well, coming}), "") << "who comes next finds out";
  EXPECT_EQ(ReadinessJson({}), "{\"status\":\"ready\"}\n");
  EXPECT_THAT(
      ReadinessJson({coming}),
      HasSubstr("\"engines\":[{\"model\":\"c:3\",\"protocol\":\"tf-serving\",\"state\":\"half_open\"}]"));
}

}  // namespace
}  // namespace unmask
