#include "emulator/server/body_room.h"

#include <gtest/gtest.h>

#include <thread>

namespace llama::emulator {
namespace {

const auto kNever = [] { return false; };
const auto kAlways = [] { return true; };

TEST(BodyRoom, GivesNoMoreThanThereIs) {
  BodyRoom room(100);
  BodyRoom::Share first;
  ASSERT_TRUE(room.Take(60, kNever, first));
  BodyRoom::Share second;
  EXPECT_FALSE(room.Take(60, kNever, second));
  EXPECT_TRUE(room.Take(40, kNever, second));
  first = {};
  BodyRoom::Share third;
  EXPECT_TRUE(room.Take(60, kNever, third)) << "given back";
}

TEST(BodyRoom, LetsOneIntoAnEmptyRoomHoweverLarge) {
  BodyRoom room(100);
  BodyRoom::Share share;
  EXPECT_TRUE(room.Take(1000, kNever, share));
  BodyRoom::Share other;
  EXPECT_FALSE(room.Take(1, kNever, other));
}

TEST(BodyRoom, WakesWhoWaits) {
  BodyRoom room(1);
  BodyRoom::Share share;
  ASSERT_TRUE(room.Take(1, kNever, share));
  std::thread waiter([&] {
    BodyRoom::Share mine;
    EXPECT_TRUE(room.Take(1, kAlways, mine));
  });
  share = {};
  waiter.join();
}

}  // namespace
}  // namespace llama::emulator
