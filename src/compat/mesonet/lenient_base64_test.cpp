// SPDX-License-Identifier: Apache-2.0
#include "compat/mesonet/lenient_base64.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace unmask::compat {
namespace {

struct Case {
  std::string_view text;
  const char* result;  ///< "=" and hex, or "!" and the error
};

// Recorded: base64.b64decode(text) of CPython 3.11. The last sixty are random.
constexpr Case kRecorded[] = {
    {"", "="},
    {"=", "="},
    {"==", "="},
    {"===", "="},
    {"====", "="},
    {"A",
     "!Invalid base64-encoded string: number of data characters (1) cannot be 1 more than a multiple of 4"},
    {"AA", "!Incorrect padding"},
    {"AAA", "!Incorrect padding"},
    {"AAAA", "=000000"},
    {"AA=", "!Incorrect padding"},
    {"AA==", "=00"},
    {"AAA=", "=0000"},
    {"A=",
     "!Invalid base64-encoded string: number of data characters (1) cannot be 1 more than a multiple of 4"},
    {"A==",
     "!Invalid base64-encoded string: number of data characters (1) cannot be 1 more than a multiple of 4"},
    {"A===",
     "!Invalid base64-encoded string: number of data characters (1) cannot be 1 more than a multiple of 4"},
    {"A=A=A=A=", "=0000"},
    {"AA=A=", "=0000"},
    {"AA=A==", "=0000"},
    {"AAA=A", "=0000"},
    {"AAA=A===", "=0000"},
    {"AA==BBBB", "=00"},
    {"AA==B", "=00"},
    {"AAAAB",
     "!Invalid base64-encoded string: number of data characters (5) cannot be 1 more than a multiple of 4"},
    {"AAAABBBBC",
     "!Invalid base64-encoded string: number of data characters (9) cannot be 1 more than a multiple of 4"},
    {"Q U\nJD", "=414243"},
    {"Q-U_JD", "=414243"},
    {"QU,JD", "=414243"},
    {"=QUJD", "=414243"},
    {"==QUJD", "=414243"},
    {"QU=JD", "=414243"},
    {"QUJ=D", "=4142"},
    {"QUJD====", "=414243"},
    {"Q=U=J=D", "=4142"},
    {"é", "!string argument should contain only ASCII characters"},
    {"QUJDé", "!string argument should contain only ASCII characters"},
    {"AA==é", "!string argument should contain only ASCII characters"},
    {std::string_view("QUJD\0"
                      "QUJD",
                      9),
     "=414243414243"},
    {"QQ=\n=", "=41"},
    {"QQ=x=", "=410c"},
    {"QQ=!=", "=41"},
    {"AA=\r\n=", "=00"},
    {"A+/a", "=03efda"},
    {"A+/=", "=03ef"},
    {"data:video/mp4;base64", "!Incorrect padding"},
    {"0 Bcd=B!+Bc\n\n", "=d0171d07e05c"},
    {"/c\nBd", "=fdc05d"},
    {"B B/B0=\n0d", "!Incorrect padding"},
    {"=1d+=dcB+_\n=--==/1/c=", "=d5df"},
    {"_=-=cd!\n1=0_\nBc===_", "=71dd"},
    {"-cc=_cB=-= =A-=1d_B+=",
     "!Invalid base64-encoded string: number of data characters (9) cannot be 1 more than a multiple of 4"},
    {"/  _c1-", "!Incorrect padding"},
    {"=0\n=\n= /0c10//A",
     "!Invalid base64-encoded string: number of data characters (9) cannot be 1 more than a multiple of 4"},
    {"1==A0\n==0!B-    d_", "=d40d"},
    {" B+c+-1d=BdA0d=Ac+ 0===", "=07e73ed5d05d0347"},
    {"dd_-__=c0d==_1!A+!", "=75d73477503e"},
    {"0A!=c=!=1=/!=/", "=d007"},
    {"+/ /+!_=AA=_=+=-==c/d/", "=fbfffe00"},
    {"+=+_A_=cd +_1\n=c -", "=fbe0"},
    {"c110A0-0_=00AAd", "=735d74034d"},
    {"0\n++A=+=!/==\n0B=-!\n", "=d3ef80fb"},
    {"00!!A-1A010_dB=!!_d", "!Incorrect padding"},
    {"B/+=Bd!-Ac-=!!+=-!_!", "=07ff"},
    {"!=+-0\nd -=", "=fb47"},
    {"/\nc+=", "=fdcf"},
    {"0=0=0-", "!Incorrect padding"},
    {"d _1/1\n! =", "=775ff5"},
    {"+==c=A=--A =!=!c", "=f9c0"},
    {"/dc==B", "=fdd7"},
    {"=0\n= 0!_", "!Incorrect padding"},
    {"c=B1\nc=Ac=c/c",
     "!Invalid base64-encoded string: number of data characters (9) cannot be 1 more than a multiple of 4"},
    {"d-A=\n=0B!/d", "=74"},
    {"=B1+==!+", "=075f"},
    {"-!1==A=BAA!+", "!Incorrect padding"},
    {"_/-d\n_ !=+/=+0 =B0A",
     "!Invalid base64-encoded string: number of data characters (9) cannot be 1 more than a multiple of 4"},
    {"=\n1Bc", "!Incorrect padding"},
    {" !=/=B-11=-A====/B=+=1A=", "=fc1d7503f0"},
    {"c_=!+/!Ac=c0 B ", "=73efc071cd01"},
    {"==/",
     "!Invalid base64-encoded string: number of data characters (1) cannot be 1 more than a multiple of 4"},
    {"!0 =_",
     "!Invalid base64-encoded string: number of data characters (1) cannot be 1 more than a multiple of 4"},
    {"=0B!\n!0", "!Incorrect padding"},
    {"!A/cAB0=d -BA/_=A-c", "=03f70007474103f01c"},
    {"c!c_=c=/+/-_ c_=B+c", "=71c7"},
    {"0===0A_B_=d+_=!=---d+=", "=d3400177"},
    {"_A=-c", "!Incorrect padding"},
    {"-= ++cc0!==0!=d=/__", "=fbe71cd347"},
    {"A1A_- =0\n= =d=A", "=0350"},
    {"= d+A===c  c=", "=77e0"},
    {"=B=dB=0/=\n!=+=\nA", "=05d0"},
    {" +cB\n-0=_B01_\n===== /=_", "=f9c074074d"},
    {" d11c+!_/-=-\n0+/c1=c", "=775d5cfbfd3efdcd"},
    {"/==+A\n \n!+ ==", "=ffe03e"},
    {"_==0",
     "!Invalid base64-encoded string: number of data characters (1) cannot be 1 more than a multiple of 4"},
    {"!!+c=/  -\n=A0B\n__Ac !--/", "=f9cf"},
    {"/00!d-", "=ff4d1d"},
    {"BA0/B",
     "!Invalid base64-encoded string: number of data characters (5) cannot be 1 more than a multiple of 4"},
    {"=0=!\nddc=!+ =/AA=-==/_!",
     "!Invalid base64-encoded string: number of data characters (9) cannot be 1 more than a multiple of 4"},
    {"/A\n=BA+_\nc", "!Incorrect padding"},
    {"/\n=/_B=\n= +", "=fff0"},
    {"=!c",
     "!Invalid base64-encoded string: number of data characters (1) cannot be 1 more than a multiple of 4"},
    {"_+=+/-/==", "=fbefff"},
    {"_1/_\nB", "!Incorrect padding"},
    {"0 B+A0\nBB1 -=dc1=+1!-B", "=d01f80d0107575cd"},
    {" ==-1dAc=c=\n",
     "!Invalid base64-encoded string: number of data characters (5) cannot be 1 more than a multiple of 4"},
    {"+ ==\nc", "!Incorrect padding"},
};

/// Decodes in pieces of `size`.
std::string Decode(std::string_view text, std::size_t size) {
  LenientBase64 decoder;
  std::string out;
  while (!text.empty()) {
    if (const auto decoded = decoder.Decode(text.substr(0, size), out); !decoded)
      return "!" + decoded.error().message;
    text.remove_prefix(std::min(size, text.size()));
  }
  if (const auto finished = decoder.Finish(); !finished) return "!" + finished.error().message;
  std::string hex = "=";
  for (const char c : out) hex += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return hex;
}

TEST(LenientBase64, DecodesAsPythonDoes) {
  for (const auto& [text, result] : kRecorded) EXPECT_EQ(Decode(text, 1000), result) << text;
}

TEST(LenientBase64, GivesTheSameHoweverTheTextIsCut) {
  for (const auto& [text, result] : kRecorded)
    for (std::size_t size = 1; size <= 5; ++size) EXPECT_EQ(Decode(text, size), result) << text;
}

}  // namespace
}  // namespace unmask::compat
