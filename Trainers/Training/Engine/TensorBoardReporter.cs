using MLExtensions.Tensors;
using MLExtensions.Training.TensorBoard;
using static TorchSharp.torch;

namespace MLExtensions.Training.Engine;

/// <summary>Writes a training's scalars and weight histograms for TensorBoard; the step is the epoch.</summary>
internal sealed class TensorBoardReporter(string folder) : IDisposable
{
    private readonly EventWriter _writer = new(folder);

    public void Write(EpochRecord record)
    {
        if (record.Epoch > 0)
        {
            _writer.Scalar("learning rate", record.LearningRate, record.Epoch);
            _writer.Scalar("seconds", record.Seconds, record.Epoch);
        }
        foreach (var (name, value) in record.Training)
            _writer.Scalar($"{name}/training", value, record.Epoch);
        foreach (var (name, value) in record.Validation)
            _writer.Scalar($"{name}/validation", value, record.Epoch);
        _writer.Flush();
    }

    public void WriteWeights(int epoch, TrainingStep step)
    {
        using var scope = NewDisposeScope();
        foreach (var network in step.Networks)
        {
            foreach (var (name, value) in network.Parameters.Split(network.Result))
                _writer.Histogram($"{network.Name}/{name}", TensorMemory.Floats(value.detach().cpu().contiguous()), epoch);
        }
        _writer.Flush();
    }

    public void Dispose() => _writer.Dispose();
}
