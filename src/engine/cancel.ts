/** A job is not wanted any more. One that has ended meanwhile stays as it is. */
import type { Coordinator } from '../coordinator/coordinator.ts';
import { AppError } from '../types/errors.ts';
import type { JobId } from '../types/job.ts';

export async function cancelUnlessEnded(
  coordinator: Pick<Coordinator, 'cancel'>,
  id: JobId,
  reason: string,
): Promise<void> {
  try {
    await coordinator.cancel(id, reason);
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'NOT_POSSIBLE') throw error;
  }
}
