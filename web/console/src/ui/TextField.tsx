import { FieldError, Input, Label, Text, TextArea, TextField as Aria, type TextFieldProps } from 'react-aria-components';
import './Field.css';

interface Props extends Omit<TextFieldProps, 'children' | 'className' | 'style'> {
  label: string;
  help?: string;
  error?: string | undefined;
  lines?: number; // more than one
  placeholder?: string;
}

export function TextField({ label, help, error, lines, placeholder, ...rest }: Props) {
  const more = placeholder === undefined ? {} : { placeholder };
  return (
    <Aria {...rest} className="field" isInvalid={error !== undefined}>
      <Label>{label}</Label>
      {lines ? <TextArea rows={lines} {...more} /> : <Input {...more} />}
      {help && <Text slot="description" className="quiet small">{help}</Text>}
      <FieldError className="error">{error}</FieldError>
    </Aria>
  );
}
