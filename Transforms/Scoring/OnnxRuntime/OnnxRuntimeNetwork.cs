using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace MLExtensions.Scoring.OnnxRuntime;

/// <summary>A computation in ONNX Runtime, which reads rows and writes outputs where they lie. Thread-safe.</summary>
internal sealed unsafe class OnnxRuntimeNetwork : IDisposable
{
    private static readonly string[] Inputs = [GraphFile.Rows];
    private static readonly string[] Outputs = [GraphFile.Outputs];

    private readonly InferenceSession _session;
    private readonly RunOptions _run = new();

    /// <param name="model">The graph.</param>
    /// <param name="threads">The number of threads that compute.</param>
    /// <param name="gpu">The number of a GPU; null for the CPU.</param>
    /// <exception cref="InvalidOperationException">There is no such GPU, or no ONNX Runtime for it.</exception>
    public OnnxRuntimeNetwork(byte[] model, int threads, int? gpu)
    {
        using var options = new SessionOptions
        {
            IntraOpNumThreads = threads,
            InterOpNumThreads = 1,
            LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR,
        };
        // Threads that wait by spinning take the processor from other work, and are slower beside it.
        options.AddSessionConfigEntry("session.intra_op.allow_spinning", "0");
        if (gpu is { } number)
            AddGpu(options, number);
        _session = new InferenceSession(model, options);
    }

    /// <summary>Computes rows.</summary>
    /// <param name="rows">The first value; the memory must stay where it is.</param>
    /// <param name="count">The number of rows.</param>
    /// <param name="width">The number of values of a row.</param>
    /// <param name="outputs">Takes the outputs.</param>
    /// <param name="outputWidth">The number of outputs of a row.</param>
    public void Compute(float* rows, int count, int width, float* outputs, int outputWidth)
    {
        using var input = Value(rows, count, width);
        using var output = Value(outputs, count, outputWidth);
        _session.Run(_run, Inputs, [input], Outputs, [output]);
    }

    /// <summary>Fixes where rows and outputs lie, for many computations; the memory must stay where it is.</summary>
    /// <inheritdoc cref="Compute"/>
    public Binding Bind(float* rows, int count, int width, float* outputs, int outputWidth) =>
        new(_session, _run, Value(rows, count, width), Value(outputs, count, outputWidth));

    public void Dispose()
    {
        _run.Dispose();
        _session.Dispose();
    }

    /// <exception cref="InvalidOperationException">There is no such GPU, or no ONNX Runtime for it.</exception>
    private static void AddGpu(SessionOptions options, int number)
    {
        try
        {
            options.AppendExecutionProvider_CUDA(number);
        }
        catch (Exception e) when (e is EntryPointNotFoundException or OnnxRuntimeException)
        {
            throw new InvalidOperationException(FormattableString.Invariant($"{nameof(ScoringOptions.Device)} is cuda:{number}, but ONNX Runtime cannot use that GPU: {e.Message} The application needs the package Microsoft.ML.OnnxRuntime.Gpu.Linux or .Windows instead of Microsoft.ML.OnnxRuntime, and NVIDIA's CUDA and cuDNN."), e);
        }
    }

    private static OrtValue Value(float* values, long rows, long columns) => OrtValue.CreateTensorValueWithData(
        OrtMemoryInfo.DefaultInstance, TensorElementType.Float, [rows, columns], (nint)values, rows * columns * sizeof(float));

    /// <summary>A computation whose memory is fixed, for one thread at a time.</summary>
    internal sealed class Binding : IDisposable
    {
        private readonly InferenceSession _session;
        private readonly RunOptions _run;
        private readonly OrtValue _input;
        private readonly OrtValue _output;
        private readonly OrtIoBinding _binding;
        private bool _disposed;

        public Binding(InferenceSession session, RunOptions run, OrtValue input, OrtValue output)
        {
            (_session, _run, _input, _output) = (session, run, input, output);
            _binding = session.CreateIoBinding();
            _binding.BindInput(GraphFile.Rows, input);
            _binding.BindOutput(GraphFile.Outputs, output);
        }

        public void Compute() => _session.RunWithBinding(_run, _binding);

        public void Dispose()
        {
            // ML.NET disposes rows and cursors more than once.
            if (_disposed)
                return;
            _disposed = true;
            _binding.Dispose();
            _input.Dispose();
            _output.Dispose();
        }
    }
}
