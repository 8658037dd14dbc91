using Microsoft.ML;
using MLExtensions.Families.LanguageModels;
using MLExtensions.Tensors;

namespace MLExtensions.Text;

/// <summary>Reads a text column row by row.</summary>
internal static class RowTexts
{
    /// <summary>Creates the tokenizer of a text column.</summary>
    public static TextTokenizer CreateTokenizer(Tokenization tokenization, IDataView data, string column, Action check)
    {
        var builder = tokenization.CreateBuilder();
        if (builder.NeedsText)
            ForEachRow(data, column, check, (text, _) => builder.Add(text));
        return builder.Build();
    }

    /// <summary>Returns the tokens of all rows, including the end of each row.</summary>
    /// <param name="data">The rows.</param>
    /// <param name="column">The text column.</param>
    /// <param name="tokenizer">What makes tokens of them.</param>
    /// <param name="buffering">Where the tokens are held.</param>
    /// <param name="check">Called now and then; throws to stop.</param>
    /// <param name="counts">Receives the numbers of tokens, of unknown ones, and of rows without text.</param>
    /// <exception cref="FormatException">A row contains something that is not in the vocabulary.</exception>
    public static TokenStore Read(IDataView data, string column, TextTokenizer tokenizer, Buffering buffering, Action check, DataCounts counts)
    {
        var store = TokenStore.Create(buffering);
        var tokens = new List<int>();
        try
        {
            ForEachRow(data, column, check, Add);
            return store;
        }
        catch
        {
            store.Dispose();
            throw;
        }

        void Add(ReadOnlySpan<char> text, long row)
        {
            tokens.Clear();
            TextColumn.Encode(tokenizer, text, tokens, column, row);
            counts.Add(DataCounts.Tokens, tokens.Count);
            counts.Add(DataCounts.EmptyTexts, tokens.Count == 0 ? 1 : 0);
            if (tokenizer.UnknownId is { } unknown)
                counts.Add(DataCounts.UnknownTokens, tokens.Count(token => token == unknown));
            tokens.Add(tokenizer.EndOfSequenceId);
            store.Append(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(tokens));
        }
    }

    private static void ForEachRow(IDataView data, string column, Action check, Action<ReadOnlySpan<char>, long> action)
    {
        var found = data.Schema[column];
        using var cursor = data.GetRowCursor([found]);
        var getter = cursor.GetGetter<ReadOnlyMemory<char>>(found);
        ReadOnlyMemory<char> text = default;
        while (cursor.MoveNext())
        {
            getter(ref text);
            action(text.Span, cursor.Position);
            if (cursor.Position % 1024 == 0)
                check();
        }
    }
}
