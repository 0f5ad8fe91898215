// SPDX-License-Identifier: Apache-2.0
#include "compat/mesonet/python_value.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace unmask::compat {
namespace {

using nlohmann::json;

TEST(PythonValue, HasATypeAndATruth) {
  const std::vector<std::tuple<json, std::string, bool>> cases = {{nullptr, "NoneType", false},
                                                                  {true, "bool", true},
                                                                  {false, "bool", false},
                                                                  {0, "int", false},
                                                                  {-3, "int", true},
                                                                  {7U, "int", true},
                                                                  {0.0, "float", false},
                                                                  {0.5, "float", true},
                                                                  {"", "str", false},
                                                                  {"0", "str", true},
                                                                  {json::array(), "list", false},
                                                                  {json::array({0}), "list", true},
                                                                  {json::object(), "dict", false},
                                                                  {json{{"a", 0}}, "dict", true},
                                                                  {json::binary({}), "bytes", false},
                                                                  {json::binary({0}), "bytes", true}};
  for (const auto& [value, type, truth] : cases) {
    EXPECT_EQ(PythonTypeName(value), type) << value;
    EXPECT_EQ(PythonTruth(value), truth) << value;
    EXPECT_EQ(NoGet(value), "'" + type + "' object has no attribute 'get'");
  }
}

TEST(PythonValue, EqualsANumberWhateverItsType) {
  EXPECT_TRUE(PythonEquals(3, 3));
  EXPECT_TRUE(PythonEquals(3.0, 3));
  EXPECT_TRUE(PythonEquals(true, 1));
  EXPECT_FALSE(PythonEquals("3", 3));
  EXPECT_FALSE(PythonEquals(nullptr, 0));
  EXPECT_FALSE(PythonEquals(3.5, 3));
}

TEST(PythonValue, IsAKeyUnlessItIsAContainer) {
  const auto same = [](const json& a, const json& b) {
    const auto first = ChunkIdOf(a);
    const auto second = ChunkIdOf(b);
    return !(*first < *second) && !(*second < *first);
  };
  EXPECT_TRUE(same(1, 1.0));
  EXPECT_TRUE(same(1, true));
  EXPECT_TRUE(same(std::uint64_t{1} << 63, 9223372036854775808.0));
  EXPECT_FALSE(same(std::uint64_t{1} << 63, (std::uint64_t{1} << 63) + 1));
  EXPECT_FALSE(same(1, "1"));
  EXPECT_FALSE(same(nullptr, 0));
  EXPECT_EQ(ChunkIdOf(json::array({1})).error().message, "unhashable type: 'list'");
  EXPECT_EQ(ChunkIdOf(json::object()).error().message, "unhashable type: 'dict'");
}

}  // namespace
}  // namespace unmask::compat
