namespace MLExtensions;

/// <summary>Shows the progress of a training on the console: <c>Progress = new ConsoleProgress()</c>.</summary>
/// <remarks>
/// <para>
/// On a terminal it is one line that is written again and again: a bar, epoch, loss, speed and the time that is left. If the output is a
/// file or a pipe, or goes to a writer, it is a plain line for about every tenth of the epochs, so ten lines at most.
/// </para>
/// <para>
/// One object can be used for several trainings, one after the other: the folds of a cross-validation, or the RBMs of a stack. Reports are
/// written on the training thread as they come. A writer that fails, because it was disposed or its pipe is closed, ends the display and
/// not the training; a warning in the log says so once.
/// </para>
/// </remarks>
public sealed class ConsoleProgress : IProgress<TrainingProgress>, IProgressDisplay
{
    private const int PlainLines = 10;
    private const int LeastBarWidth = 8;
    private const int MostBarWidth = 30;
    private const int TextWidth = 68;
    private const int DefaultWidth = 80;
    private const int SpaceForEpoch = 16; // a stage that leaves no room for the epoch is not shown

    private readonly Lock _lock = new();
    private readonly string? _title;
    private readonly TextWriter? _writer;
    private readonly Func<int>? _terminalWidth;
    private (string? Stage, int Epoch) _last;
    private string? _validation;
    private bool _hasTitle;
    private int _plainLines;
    private int _barLength;
    private Exception? _failure;
    private bool _isToldOfFailure;

    /// <summary>Creates a display.</summary>
    /// <param name="title">A line before the first report, such as what is trained. Default null: none.</param>
    /// <param name="writer">Where to write plain lines. Default null: the console, with a bar if it is a terminal.</param>
    public ConsoleProgress(string? title = null, TextWriter? writer = null)
        : this(title, writer, writer == null && IsTerminal() ? ConsoleWidth : null)
    {
    }

    /// <param name="title">The line before the first report, or null.</param>
    /// <param name="writer">Where to write; null for the console.</param>
    /// <param name="terminalWidth">The number of characters per line of the terminal; null if the output is no terminal.</param>
    internal ConsoleProgress(string? title, TextWriter? writer, Func<int>? terminalWidth) => (_title, _writer, _terminalWidth) = (title, writer, terminalWidth);

    private TextWriter Writer => _writer ?? Console.Out;

    /// <summary>Shows a report.</summary>
    /// <param name="value">The report.</param>
    public void Report(TrainingProgress value)
    {
        ArgumentNullException.ThrowIfNull(value);
        Show(() =>
        {
            Begin(value);
            _validation = value.Completed is { } record ? Describe(record, value.GoalMetric) ?? _validation : _validation;
            var share = (value.Epoch - 1 + ((double)value.Batch / Math.Max(1, value.Batches))) / Math.Max(1, value.Epochs);
            if (_terminalWidth != null)
                WriteBar(Math.Clamp(share, 0, 1), value.Stage, Items(value), Math.Max(LeastBarWidth, _terminalWidth() - 1));
            else if (value.Completed != null && (long)value.Epoch * PlainLines >= (_plainLines + 1L) * value.Epochs)
                WritePlain(value);
        });
    }

    /// <summary>Why nothing is shown anymore; null the second time and if all is well.</summary>
    Exception? IProgressDisplay.TakeFailure()
    {
        lock (_lock)
        {
            var failure = _isToldOfFailure ? null : _failure;
            _isToldOfFailure |= failure != null;
            return failure;
        }
    }

    /// <summary>Ends the line of the bar, so that what is written next has a line of its own.</summary>
    void IProgressDisplay.End() => Show(() =>
    {
        if (_barLength > 0)
            Writer.WriteLine();
        (_barLength, _last) = (0, default);
    });

    /// <summary>Writes unless writing has failed before.</summary>
    private void Show(Action write)
    {
        lock (_lock)
        {
            if (_failure != null)
                return;
            try
            {
                write();
            }
            catch (Exception e) when (e is ObjectDisposedException or IOException or UnauthorizedAccessException or NotSupportedException)
            {
                _failure = e;
            }
        }
    }

    private void Begin(TrainingProgress value)
    {
        if (!_hasTitle && _title != null)
            Writer.WriteLine(_title);
        _hasTitle = true;
        if (value.Stage != _last.Stage || value.Epoch < _last.Epoch || _last.Epoch == 0)
            (_plainLines, _validation) = (0, null);
        _last = (value.Stage, value.Epoch);
    }

    private void WritePlain(TrainingProgress value)
    {
        _plainLines = (int)((long)value.Epoch * PlainLines / Math.Max(1, value.Epochs));
        Writer.WriteLine($"  {string.Join(", ", Items(value))}");
    }

    private void WriteBar(double share, string? stage, IReadOnlyList<string> items, int width)
    {
        var barWidth = Math.Min(width - 2, Math.Clamp(width - TextWidth, LeastBarWidth, MostBarWidth)); // the same for all reports
        var done = (int)(share * barWidth);
        var line = $"[{new string('#', done)}{new string('-', barWidth - done)}]";
        // Whole items: half a number would be another number. A second line could not be written over.
        var separator = " ";
        foreach (var item in items.SkipWhile(item => item == stage && line.Length + stage.Length + SpaceForEpoch > width))
        {
            if (line.Length + separator.Length + item.Length > width)
                break;
            line += separator + item;
            separator = ", ";
        }
        Writer.Write("\r" + line.PadRight(_barLength));
        Writer.Flush();
        _barLength = line.Length;
    }

    /// <summary>What is shown, the most important first.</summary>
    private List<string> Items(TrainingProgress value)
    {
        var items = new List<string>();
        if (value.Stage != null)
            items.Add(value.Stage);
        items.Add(FormattableString.Invariant($"epoch {value.Epoch}/{value.Epochs}"));
        items.Add(FormattableString.Invariant($"loss {value.TrainingLoss:0.0000}"));
        if (_validation != null)
            items.Add(_validation);
        items.Add(FormattableString.Invariant($"{(int)value.TimeLeft.TotalHours}:{value.TimeLeft:mm\\:ss} left"));
        items.Add(FormattableString.Invariant($"{value.ExamplesPerSecond:N0} examples/s"));
        return items;
    }

    /// <summary>The loss on the validation data, or what is measured instead, such as the return of a policy; null if nothing is.</summary>
    private static string? Describe(EpochRecord record, string? goal) =>
        record.ValidationLoss is { } loss ? FormattableString.Invariant($"validation {loss:0.0000}")
        : goal != null && record.Validation.TryGetValue(goal, out var value) ? FormattableString.Invariant($"validation {goal} {value:0.0000}")
        : null;

    private static bool IsTerminal() => !Console.IsOutputRedirected && Environment.GetEnvironmentVariable("TERM") != "dumb";

    /// <summary>The width of the console, which some terminals do not tell.</summary>
    private static int ConsoleWidth()
    {
        try
        {
            return Console.WindowWidth is > 0 and var width ? width : DefaultWidth;
        }
        catch (Exception e) when (e is IOException or PlatformNotSupportedException)
        {
            return DefaultWidth;
        }
    }
}
