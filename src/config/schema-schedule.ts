/** When a workflow starts by itself: what a schedule holds under `schedules` and, without name and workflow, under a workflow's `on`. */
import { type Static, Type } from 'typebox';
import { Flag, OneOf, Section, Text } from './schema-values.ts';

export const scheduleKeys = {
  cron: Text({
    description:
      'When: minute, hour, day of the month, month, day of the week; with six fields the first is the second. Names (`MON`, `JAN`), steps (`*/15`), `L` and `#` are understood.',
    examples: ['0 7 * * 1-5', '*/15 * * * *'],
  }),
  timezone: Type.Optional(
    Text({
      description: 'The time zone in which `cron` is meant, by its IANA name.',
      examples: ['Europe/Berlin'],
      'x-default': 'the machine’s',
    }),
  ),
  inputs: Type.Unsafe<Readonly<Record<string, unknown>>>({
    type: 'object',
    default: {},
    description: 'Inputs of the workflow, by name.',
  }),
  overlap: OneOf(['skip', 'queue', 'cancel'], {
    default: 'skip',
    description:
      'When the run before it still goes on: `skip` leaves this one out, `queue` starts it afterwards, `cancel` ends the one that runs.',
  }),
  catch_up: Flag({
    default: true,
    description:
      'Whether runs that were missed while nothing ran are made up for, by one run; `false`: they are left out.',
  }),
};

export const Schedule = Section(
  {
    name: Text({
      pattern: '^(?=.*\\S)[^\\u0000-\\u001f]{1,200}$',
      description: 'Unique name of the schedule.',
      examples: ['digest'],
    }),
    workflow: Text({ description: 'The workflow that is started: its name, or the stem of its file.' }),
    ...scheduleKeys,
  },
  { description: 'When a workflow starts by itself.' },
);

export type ScheduleFile = Static<typeof Schedule>;
