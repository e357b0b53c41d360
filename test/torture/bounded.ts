/**
 * `TORTURE_MINUTES=4`: what has not begun by then is left out, and the table says so. A slow machine does less, and ends
 * as it should.
 */
import { beforeEach } from 'vitest';

beforeEach(({ skip }) => {
  const { TORTURE_MINUTES: minutes, TORTURE_BEGAN: beganAt } = process.env;
  const isOver = minutes !== undefined && Date.now() - Number(beganAt) > Number(minutes) * 60_000;
  skip(isOver, `the ${minutes} minutes are over`);
});
