// SPDX-License-Identifier: Apache-2.0
#include "compat/check/judgement.hpp"

#include <gtest/gtest.h>

namespace unmask::compat {
namespace {

TEST(Judgement, OfAMicroserviceIsTheMeanOfItsFrames) {
  for (const char* body : {
           R"([{"prediction":"Fake","probability":0.8},{"prediction":"Real","probability":0.6}])",
           R"({"num_frames":2,"predictions":[{"prediction":"Fake","probability":0.8},
               {"prediction":"Real","probability":0.6}]})",
           R"({"Predictions":[{"prediction":"Fake","probability":0.8},
               {"prediction":"Real","probability":0.6}]})",
       }) {
    const auto judgement = ReadJudgement(Contract::kMicroserviceV1, body);
    ASSERT_TRUE(judgement) << body;
    EXPECT_EQ(judgement->label, "Fake");
    EXPECT_DOUBLE_EQ(judgement->score, 0.6);
  }
  const auto tie = ReadJudgement(Contract::kMicroserviceV2, R"([{"prediction":"Real","probability":0.5}])");
  EXPECT_EQ(tie->label, "Real");
}

TEST(Judgement, OfWebUploadStandsInTheAlert) {
  const auto judgement =
      ReadJudgement(Contract::kWebUpload, R"({"alert":"The image is Fake with a confidence of 0.02"})");
  ASSERT_TRUE(judgement);
  EXPECT_EQ(judgement->label, "Fake");
  EXPECT_EQ(judgement->score, 0.02);
}

TEST(Judgement, OfTheFastApiServicesAreMembers) {
  const auto mesonet = ReadJudgement(Contract::kMesonetApi, R"({"prediction":"DeepFake","avg_score":0.25})");
  EXPECT_EQ(mesonet->label, "DeepFake");
  EXPECT_EQ(mesonet->score, 0.25);
  const auto predict = ReadJudgement(Contract::kPredictApi, R"({"score":1,"label":"fake"})");
  EXPECT_EQ(predict->label, "fake");
  EXPECT_EQ(predict->score, 1);
}

TEST(Judgement, IsAbsentFromEverythingElse) {
  for (const auto contract : kContracts)
    for (const char* body :
         {"", "<html>", "[]", "{}", "null", "1", R"({"alert":"No file part"})",
          R"([{"error":"No Face Detected"},[]])", R"({"predictions":[]})", R"({"alert":"The image is Fake"})",
          R"({"label":"fake","score":"high"})", R"({"alert":"The image is Fake with a confidence of much"})",
          R"({"prediction":1,"avg_score":0.25})", R"({"detail":"no"})"})
      EXPECT_FALSE(ReadJudgement(contract, body)) << ContractName(contract) << " " << body;
}

TEST(Labels, AreComparedByMeaning) {
  EXPECT_TRUE(SameLabel("DeepFake", "deepfake"));
  EXPECT_TRUE(SameLabel("fake", "DeepFake"));
  EXPECT_TRUE(SameLabel("Real", "real"));
  EXPECT_FALSE(SameLabel("Real", "Fake"));
}

}  // namespace
}  // namespace unmask::compat
