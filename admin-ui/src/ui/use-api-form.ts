import { type GetInputPropsOptions, type LooseKeys, useForm } from '@mantine/form';
import { fieldMessage } from '@/api/errors';

/**
 * The values of a form, named as the API names its fields, so that each control shows what the server says about its
 * value. `error` is that of the last attempt to send them.
 */
export function useApiForm<Values extends Record<string, unknown>>(initialValues: Values, error: unknown) {
  const { values, setFieldValue, getInputProps, isDirty } = useForm<Values>({ initialValues });
  return {
    values,
    set: setFieldValue,
    /** Whether anything differs from the initial values. */
    dirty: isDirty(),
    /** What a control needs to show and change a value. */
    input: (name: LooseKeys<Values> & string, options?: GetInputPropsOptions) => ({
      ...(getInputProps(name, options) as object),
      error: fieldMessage(error, name),
    }),
    /** The fields whose messages are shown at their controls. */
    shown: Object.keys(initialValues),
  };
}
